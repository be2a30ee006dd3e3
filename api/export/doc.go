// Package export writes a report's table as files that other programs read:
// CSV, Parquet, Arrow IPC and XLSX, and a month's folder of all of them.
//
// Every form is made from the same flat Arrow record, so no two can disagree.
// Read the files in this order:
//
//	form.go       what can be asked for, and the one way in: Write
//	citation.go   the columns that say what a file is about
//	flat.go members.go   a table as one flat Arrow record, and its meta
//	csv.go csvw.go columnar.go   CSV; Parquet and Arrow
//	words.go french.go   what a workbook says, in two languages
//	workbook.go sheet.go style.go tables.go front.go   XLSX
//	chart.go whiskers.go                               its charts
//	month.go datapackage.go cite.go                    the month's folder
package export
