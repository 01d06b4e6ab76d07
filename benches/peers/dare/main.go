// dare encrypts as minio/sio does, for the benches to compare with: DARE 2.0 with AES-256-GCM of the
// standard library.
//
// With `encrypt SOURCE TARGET` or `decrypt SOURCE TARGET` it works on files. Otherwise the arguments are an object's length in
// memory and that of the block that its content is made of, again and again. Requests come line by line:
// `ranges`, `seal` or `open`, and how often. The answer is the processor time that it took on this
// thread, in nanoseconds. Ranges have positions that follow from a fixed seed, the same ones as on the
// other side.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"syscall"
)

const rangeLen = 64 << 10

var key = bytes.Repeat([]byte{7}, 32)

func main() {
	if len(os.Args) == 4 {
		check(onFiles(os.Args[1], os.Args[2], os.Args[3]))
		return
	}
	runtime.LockOSThread()
	length, err := strconv.Atoi(os.Args[1])
	check(err)
	blockLen, err := strconv.Atoi(os.Args[2])
	check(err)
	acts := prepare(bytes.Repeat([]byte{0x5A}, blockLen), length)

	requests := bufio.NewScanner(os.Stdin)
	for requests.Scan() {
		var name string
		var count int
		_, err := fmt.Sscan(requests.Text(), &name, &count)
		check(err)
		start := processorTime()
		for range count {
			check(acts[name]())
		}
		fmt.Println(processorTime() - start)
	}
}

// prepare gives what can be asked for.
func prepare(block []byte, length int) map[string]func() error {
	var stored bytes.Buffer
	check(seal(key, &again{block: block, left: length}, &stored))
	reader, err := newReaderAt(bytes.NewReader(stored.Bytes()), key)
	check(err)
	positions := positions{state: 1, count: uint64(max(length-rangeLen, 1))}
	buffer := make([]byte, rangeLen)
	_, err = reader.ReadAt(buffer, 12_345)
	check(err)
	if !bytes.Equal(buffer, bytes.Repeat([]byte{0x5A}, rangeLen)) {
		check(fmt.Errorf("the range is not the content"))
	}
	return map[string]func() error{
		"ranges": func() error {
			_, err := reader.ReadAt(buffer, positions.next())
			return err
		},
		"seal": func() error { return seal(key, &again{block: block, left: length}, sink{}) },
		"open": func() error { return open(key, bytes.NewReader(stored.Bytes()), sink{}) },
	}
}

func onFiles(what, source, target string) error {
	from, err := os.Open(source)
	check(err)
	to, err := os.Create(target)
	check(err)
	switch what {
	case "encrypt":
		check(seal(key, from, to))
	case "decrypt":
		check(open(key, from, to))
	}
	return to.Close()
}

// again gives a block again and again, up to a length.
type again struct {
	block    []byte
	at, left int
}

func (a *again) Read(p []byte) (int, error) {
	if a.left == 0 {
		return 0, io.EOF
	}
	count := copy(p[:min(len(p), a.left)], a.block[a.at:])
	a.at = (a.at + count) % len(a.block)
	a.left -= count
	return count, nil
}

// sink takes bytes and does nothing with them.
type sink struct{}

func (sink) Write(p []byte) (int, error) { return len(p), nil }

// positions gives a range's start, by splitmix64.
type positions struct{ state, count uint64 }

func (p *positions) next() int64 {
	p.state += 0x9E3779B97F4A7C15
	mixed := p.state
	mixed = (mixed ^ mixed>>30) * 0xBF58476D1CE4E5B9
	mixed = (mixed ^ mixed>>27) * 0x94D049BB133111EB
	mixed ^= mixed >> 31
	return int64(mixed % p.count)
}

// processorTime is that of this thread: work of the garbage collector on others does not count.
func processorTime() int64 {
	const thread = 1
	var usage syscall.Rusage
	check(syscall.Getrusage(thread, &usage))
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "dare:", err)
		os.Exit(1)
	}
}
