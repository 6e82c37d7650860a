// Package teamstest is a Microsoft Teams that behaves: one tenant with one app,
// kept in memory and served over real HTTP.
package teamstest
