// Command verify_receipts checks Sward receipts with Go's reference implementation of signed notes
// and transparency logs (golang.org/x/mod/sumdb), which shares no code with Sward.
//
// It knows nothing of receipts beyond this: a receipt is a signed note whose third line names the
// agent, and both the coordinator (first line of the keys file) and that agent must have signed.
//
//	verify_receipts -keys vkeys [-root BASE64] FILE...
//
// With -root, the files in their order must be the entries of an RFC 6962 tree of that root. Each
// file has one line on standard output. Exits with 1 where any file or the root is refused, and
// with 2 where it cannot do its work.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	keysFile := flag.String("keys", "", "file of C2SP verifier keys, the coordinator's first")
	root := flag.String("root", "", "expected RFC 6962 root over the files, base64")
	flag.Parse()
	if *keysFile == "" || flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	keys, err := readKeys(*keysFile)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	refused := false
	var entries [][]byte
	for _, path := range flag.Args() {
		entry, err := os.ReadFile(path)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		entries = append(entries, entry)
		if err := checkReceipt(entry, keys); err != nil {
			fmt.Printf("refused: %s: %v\n", path, err)
			refused = true
		} else {
			fmt.Printf("accepted: %s\n", path)
		}
	}
	if *root != "" {
		if err := checkTree(entries, *root); err != nil {
			fmt.Printf("refused: root: %v\n", err)
			refused = true
		} else {
			fmt.Printf("accepted: root over %d entries\n", len(entries))
		}
	}
	if refused {
		os.Exit(1)
	}
}

func readKeys(path string) ([]note.Verifier, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var keys []note.Verifier
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		key, err := note.NewVerifier(lines.Text())
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", path, len(keys)+1, err)
		}
		keys = append(keys, key)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, errors.New(path + ": no keys")
	}
	return keys, nil
}

func checkReceipt(entry []byte, keys []note.Verifier) error {
	opened, err := note.Open(entry, note.VerifierList(keys...))
	if err != nil {
		return err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 3 || !strings.HasPrefix(lines[2], "agent ") {
		return errors.New("no agent in the third line")
	}
	for _, signer := range []string{keys[0].Name(), strings.TrimPrefix(lines[2], "agent ")} {
		if !signedBy(opened, signer) {
			return fmt.Errorf("not signed by %s", signer)
		}
	}
	return nil
}

func signedBy(opened *note.Note, name string) bool {
	for _, signature := range opened.Sigs {
		if signature.Name == name {
			return true
		}
	}
	return false
}

// checkTree grows the tree entry by entry, then proves every entry in it.
func checkTree(entries [][]byte, expected string) error {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			hashes[i] = stored[index]
		}
		return hashes, nil
	})
	for n, entry := range entries {
		hashes, err := tlog.StoredHashes(int64(n), entry, reader)
		if err != nil {
			return err
		}
		stored = append(stored, hashes...)
	}
	size := int64(len(entries))
	root, err := tlog.TreeHash(size, reader)
	if err != nil {
		return err
	}
	if root.String() != expected {
		return fmt.Errorf("%v instead of %s", root, expected)
	}
	for n, entry := range entries {
		proof, err := tlog.ProveRecord(size, int64(n), reader)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, size, root, int64(n), tlog.RecordHash(entry)); err != nil {
			return err
		}
	}
	return nil
}
