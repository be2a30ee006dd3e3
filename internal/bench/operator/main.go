// Command operator is to come.
package main

func main() { _ = newMonth(1, 1, 1) }
