// Package terminal writes a table as text: a title, rows that fit in so many
// columns whatever the names in them, and under them what the figures' marks
// mean, what they are a share of, and which columns were left out.
package terminal
