//go:build race

package app

// The program that is built for tests is checked for races as the tests are.
const race = true
