package tablecheck

import (
	"errors"
	"strings"
	"testing"

	"rollcall"
)

// The United States in November 2002, home and work: ten rows of one universe.
const november2002 = `rank,service,audience,reach
1,WMP,41452,31.2
2,AIM,27848,21.0
3,RealOne,27226,20.5
4,MSN,22721,17.1
5,Yahoo,15595,11.7
6,KaZaA,14095,10.6
7,QuickTime,14004,10.5
8,Gator,11628,8.8
9,WhenU,10304,7.8
10,AOL Companion,10095,7.6
`

func TestCheckPublishedTable(t *testing.T) {
	for _, c := range []struct{ name, table, want string }{
		{"november 2002", november2002, ""},
		{"the same in persons", strings.NewReplacer("41452", `"41,452,000"`, "27848", "27848000", "27226", "27226000", "22721", "22721000", "15595", "15595000",
			"14095", "14095000", "14004", "14004000", "11628", "11628000", "10304", "10304000", "10095", "10095000").Replace(november2002), ""},
		{"a reach misprinted", strings.Replace(november2002, "22721,17.1", "22721,17.4", 1), "line 5, MSN: universe"},
		{"an audience misprinted", strings.Replace(november2002, "11628", "11268", 1), "line 9, Gator: universe"},
		{"two ranks swapped", strings.NewReplacer("4,MSN", "5,MSN", "5,Yahoo", "4,Yahoo").Replace(november2002), "line 5, MSN: rank; line 6, Yahoo: rank"},
		{"a service twice", strings.Replace(november2002, "WhenU", "Gator", 1), "line 10, Gator: service"},
		{"two rows that disagree", "rank,service,audience,reach\n1,a,201,20.1\n2,b,103,11.0\n", "line 2, a: universe; line 3, b: universe"},
		{"a reach above 100 %", "rank,service,audience,reach\n1,a,201,120.0\n", "line 2, a: reach"},
		{"decimal commas", strings.NewReplacer(",31.2", `,"31,2"`, ",21.0", `,"21,0"`, ",7.6", `,"7,6 %"`).Replace(november2002), ""},
		{"decimal commas in the audiences too", "rank,service,audience,reach\n1,a,\"1 585,3\",\"20,8 %\"\n2,b,459,\"6,0 %\"\n3,c,\"402,4\",\"5,3 %\"\n4,d,\"301,2\",\"4,0 %\"\n", ""},
		{"points between thousands", "rank,service,audience,reach\n1,a,\"1.585,3\",\"20,8\"\n2,b,\"1.402\",\"18,4\"\n3,c,\"301,2\",\"4,0\"\n", ""},
		{"points between thousands, and nothing else", "rank,service,audience,reach\n1,a,1.585,\"20,8\"\n2,b,459,\"6,0\"\n3,c,402,\"5,3\"\n4,d,301,\"4,0\"\n", ""},
		{"points between thousands and millions", "rank,service,audience,reach\n1,a,1.585.300,\"20,8\"\n2,b,459.000,\"6,0\"\n3,c,402.400,\"5,3\"\n", ""},
		{"both, with three decimals", "rank,service,audience,reach\n1,a,\"1.585,300\",\"20,8\"\n2,b,\"459,000\",\"6,0\"\n3,c,\"402,400\",\"5,3\"\n", ""},
		{"millions with three decimals", "rank,service,audience,reach\n1,a,\"1,585\",20.8\n2,b,\"0,459\",6.0\n3,c,\"0,402\",5.3\n", ""},
		{"three decimals beside none", "rank,service,audience,reach\n1,a,1585,20.8\n2,b,459.125,6.0\n3,c,402,5.3\n", ""},
		{"thousands beside three decimals", "rank,service,audience,reach\n1,a,\"1,585.125\",20.8\n2,b,459,6.0\n3,c,402.5,5.3\n", ""},
		{"apostrophes between thousands", "rank,service,audience,reach\n1,a,1'585.3,20.8\n2,b,1’402,18.4\n3,c,301.2,4.0\n", ""},
		{"thin spaces", "rank,service,audience,reach\n1,a,1 585,\"20,8 %\"\n2,b,1 402,\"18,4 %\"\n3,c,301,\"4,0\"\n", ""},
		{"lakhs", "rank,service,audience,reach\n1,a,\"15,85,300\",20.8\n2,b,\"4,59,000\",6.0\n3,c,\"4,02,400\",5.3\n", ""},
		{"semicolons", "rank;service;audience;reach\r\n1;a;1585,3;20,8 %\r\n2;b;459;6,0 %\r\n;;;\r\n3;c;402,4;5,3 %\r\n", ""},
		{"semicolons, told by a spreadsheet's first line", "sep=;\nrank;service;audience;reach\n1;a;1585;20,8\n2;b;459;6,0\n", ""},
		{"tabs", strings.ReplaceAll(november2002, ",", "\t"), ""},
		{"line ends of an old Macintosh", strings.ReplaceAll(november2002, "\n", "\r"), ""},
		{"a mark before a quoted header", "\ufeff\"rank\",\"service\",\"audience\",\"reach\"\n1,a,1585,20.8\n2,b,459,6.0\n", ""},
		{"blank rows and columns around", ",,,,,\n,,,,,\nrank,service,audience,reach,,\n1,a,1585,20.8,,\n2,b,459,6.0,,\n,,,,,\n", ""},
		{"more blank fields than columns", "rank,service,audience,reach\n1,a,1585,20.8,,\n2,b,459,6.0,\n", ""},
		{"a misprint beside points between thousands", "rank,service,audience,reach\n1,a,1.585,\"20,8\"\n2,b,459,\"6,5\"\n3,c,402,\"5,3\"\n4,d,301,\"4,0\"\n", "line 3, b: universe"},
		{"a spreadsheet's blank rows", "rank,service,audience,reach\n1,a,1585,20.8\n,,,\n2,b,459,6.0\n,,,\n , , \n", ""},
		{"tied ranks", "rank,service,audience,reach\n1,a,301,30.1\n2,b,203,20.3\n2,c,203,20.3\n4,d,102,10.2\n", ""},
		{"a zero reach", "rank,service,audience,reach\n1,a,300,30.0\n2,b,0,0.0\n", ""},
	} {
		findings, err := Check(strings.NewReader(c.table), "table.csv")
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		var got []string
		for _, f := range findings {
			text := f.String()
			got = append(got, text[:strings.Index(text, f.Service)]+f.Service+": "+f.Rule)
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s: found %q, want %q", c.name, strings.Join(got, "; "), c.want)
		}
	}
}

// malformedTables seed the fuzz test too.
var malformedTables = []struct{ table, want string }{
	{"", "table.csv line 1: has no header rank,service,audience,reach"},
	{"rank,service,audience\n", `table.csv line 1, column reach: is missing in the header`},
	{"rank;service;audience\n1;a;10;1\n", "table.csv line 1, column reach: is missing in the header"},
	{"rank,service\n", "table.csv line 1, column audience: is missing in the header\ntable.csv line 1, column reach: is missing in the header"},
	{"rank|service|audience|reach\n", strings.Join([]string{
		"table.csv line 1, column rank: is missing in the header; fields are separated by commas, semicolons or tabs",
		"table.csv line 1, column service: is missing in the header; fields are separated by commas, semicolons or tabs",
		"table.csv line 1, column audience: is missing in the header; fields are separated by commas, semicolons or tabs",
		"table.csv line 1, column reach: is missing in the header; fields are separated by commas, semicolons or tabs",
	}, "\n")},
	{"rank,service,audience,reach\n1,a,10,1,x\n", "table.csv line 2: has 5 fields where the header has 4"},
	{"rank,service,audience,reach\n1,a,\"1585,3\",20.8\n2,b,402.4,5.3\n", `table.csv line 3, column audience "402.4": is not a number of the form that line 2 has`},
	{"rank,service,audience,reach\n1,a,402.4,5.3\n2,b,\"1585,3\",20.8\n", `table.csv line 3, column audience "1585,3": is not a number of the form that line 2 has`},
	{"rank,service,audience,reach\n1,a,1.5,5.3\n2,b,\"0,459\",2.1\n", `table.csv line 3, column audience "0,459": is not a number of the form that line 2 has`},
	{"rank,service,audience,reach\n1,a,\"1,5,300\",20.8\n", `table.csv line 2, column audience "1,5,300": is not a number`},
	{"rank,service,audience,reach\n" + strings.Repeat("1,a,10,1\n", maxRows+1), "table.csv line 2002: is row 2001, and no published table has more than 2000"},
	{"rank,service,audience,reach\n1,a,\"1,5,3\",20.8\n", `table.csv line 2, column audience "1,5,3": is not a number`},
	{"rank,service,audience,reach\n1,a,١٥٨٥,20.8\n", "table.csv line 2, column audience \"١٥٨٥\": is not a number"},
	{"\xff\xfer\x00a\x00", "table.csv line 1: is UTF-16, which spreadsheets call Unicode text: save it as CSV UTF-8"},
	{"PK\x03\x04", "table.csv line 1: is a workbook or another zip: save its sheet as CSV UTF-8"},
	{",,,\n,,,\n", "table.csv line 1: has no header rank,service,audience,reach"},
	{strings.Repeat("a", 4<<20+1), "table.csv line 1: is longer than 4 MiB, which no published table is"},
	{"rank,rank,service,audience,reach\n", "table.csv line 1, column rank: is twice in the header"},
	{"rank,service,audience,reach\n", "table.csv line 1: has no rows"},
	{"rank,service,audience,reach\n1,a,10\n", "table.csv line 2: has 3 fields where the header has 4"},
	{"rank,service,audience,reach\n0,a,10,1\n", `table.csv line 2, column rank "0": is not a whole number from 1`},
	{"rank,service,audience,reach\n1,a,many,1\n", `table.csv line 2, column audience "many": is not a number`},
	{"rank,service,audience,reach\n1,a,10,-1\n", `table.csv line 2, column reach "-1": is not a number`},
	{"rank,service,audience,reach\n1,\"a\"b,10,1\n", "table.csv line 2: has a misplaced quotation mark"},
}

func TestCheckRefusesTable(t *testing.T) {
	for _, c := range malformedTables {
		_, err := Check(strings.NewReader(c.table), "table.csv")
		if err == nil || err.Error() != c.want || !errors.Is(err, rollcall.ErrInvalid) {
			t.Errorf("%q: %v, want %s", c.table, err, c.want)
		}
	}
}

func FuzzCheck(f *testing.F) {
	f.Add(november2002)
	for _, c := range malformedTables {
		f.Add(c.table)
	}
	f.Fuzz(func(t *testing.T, table string) {
		findings, err := Check(strings.NewReader(table), "table.csv")
		if err != nil && !errors.Is(err, rollcall.ErrInvalid) {
			t.Errorf("%q: %v is not ErrInvalid", table, err)
		}
		for _, finding := range findings {
			if finding.Line < 2 {
				t.Errorf("%q: finding %s is of the header", table, finding)
			}
		}
	})
}
