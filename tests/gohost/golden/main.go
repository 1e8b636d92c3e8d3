// Command golden writes what Go's own libraries put on the wire, as cases for
// tests of others: gob values, net/rpc exchanges, a yamux session.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	folder := flag.String("to", "../hosts/netrpc/golden", "where the files go")
	flag.Parse()
	err := os.MkdirAll(*folder, 0o755)
	// In this order, for gob numbers a program's types as they come.
	for _, file := range []struct {
		name  string
		cases any
	}{{"gob.json", gobCases()}, {"netrpc.json", rpcCases()}, {"yamux.json", yamuxCases()}} {
		if err == nil {
			err = write(filepath.Join(*folder, file.name), file.cases)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "golden:", err)
		os.Exit(1)
	}
}

// write puts one case on a line.
func write(path string, cases any) error {
	var all []json.RawMessage
	text, err := json.Marshal(cases)
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil {
		return err
	}
	out := []byte("[\n")
	for i, one := range all {
		out = append(out, one...)
		if i < len(all)-1 {
			out = append(out, ',')
		}
		out = append(out, '\n')
	}
	return os.WriteFile(path, append(out, "]\n"...), 0o644)
}
