// dare-ranges reads ranges of an object in memory as minio/sio's DecryptReaderAt does, for the
// benches to compare with: DARE 2.0 with AES-256-GCM of the standard library.
//
// The argument is the object's length. Requests come line by line: the number of ranges to read. The
// answer is the processor time that
// they took on this thread, in nanoseconds. The positions follow from a fixed seed, the same ones as
// on the other side.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
)

const rangeLen = 64 << 10

func main() {
	runtime.LockOSThread()
	objectLen, err := strconv.Atoi(os.Args[1])
	check(err)
	content := bytes.Repeat([]byte{0x5A}, objectLen)
	key := bytes.Repeat([]byte{7}, 32)
	stored, err := seal(key, content)
	check(err)
	reader, err := newReaderAt(bytes.NewReader(stored), key)
	check(err)
	positions := positions{state: 1, count: uint64(objectLen - rangeLen)}
	buffer := make([]byte, rangeLen)
	_, err = reader.ReadAt(buffer, 12_345)
	check(err)
	if !bytes.Equal(buffer, content[:rangeLen]) {
		check(fmt.Errorf("the range is not the content"))
	}

	requests := bufio.NewScanner(os.Stdin)
	for requests.Scan() {
		var count int
		_, err := fmt.Sscan(requests.Text(), &count)
		check(err)
		start := processorTime()
		for range count {
			_, err := reader.ReadAt(buffer, positions.next())
			check(err)
		}
		fmt.Println(processorTime() - start)
	}
}

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
		fmt.Fprintln(os.Stderr, "dare-ranges:", err)
		os.Exit(1)
	}
}
