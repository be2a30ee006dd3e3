// Package masters looks after the master keys of the pseudonyms: the file that
// they are in, what the store knows of them, and the rotation to a new one.
package masters
