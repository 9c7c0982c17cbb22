// Package transfer prepares 涉嫌犯罪案件移送, the transfer of a case to the police. In this version it holds the
// cross-region count (domain.md §6): how many administrative penalties already stand against a person anywhere in the
// alliance, with the reason for each one that counts, waits for a reviewer, or does not count.
//
// Count is a pure function of records: no clock, no network, no configuration. It has two halves, so that members of
// every sharing level answer through the same code (§6.1): Examine is what the origin of a record computes about it,
// Reckon is what the asker makes of such lines. A member of level 2 answers with Examine's lines, one of level 1 with
// Basic's bare number.
//
// The hub shows facts and finds candidates; people decide. Nothing here turns a P into a C but a record that a named
// person made: a link with its approver, a lifted suspension, a corrected penalty.
//
// It leaves to others which records there are and who may see the result (federation, internal/auth).
package transfer

// RuleVersion names the rule that every result was reckoned by.
const RuleVersion = "count-rule/1.0"
