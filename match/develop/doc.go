// Package develop makes the development set of the matching engine: a registry of synthetic people as registries are in
// life, questions about them with the slips that officers make, and the figures that the engine reaches on both. It is
// written from knowledge of names, numbers and places and not from the engine's tables, so that it can find the engine's
// faults.
//
// No real person is in it (domain.md §7.1): who has a resident number is born from 1900 to 1909 with a sequence from 900
// to 999, phones begin with 154, plates end in letters and digits drawn by chance, villages and estates are put together
// from syllables. A span of ten years would make births far more alike than they are, so entries without a number, two of
// five, are of people born from 1910 to 1965. Manners of naming follow the generations now alive, whatever the year says.
package develop
