// Package histories holds the test that what records amount to does not depend on how they arrived: generated histories of
// real records of several bureaux, counted after every append, must give the same when everything is rebuilt from the logs,
// and when another node was handed the same frames in another permitted order. Register, log rules, index, fold, tally and
// count are those of a node; nothing of them is written a second time here. What a count should be is package transfer's
// to test.
package histories
