package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"io"
	"sync"
)

// A DARE 2.0 package: version, cipher, length − 1 (u16), nonce; ciphertext; tag. The last package has
// the first bit of its nonce set. A package's number goes into its nonce, not into its header.
const (
	headerLen  = 16
	payloadLen = 64 << 10
	tagLen     = 16
	packageLen = headerLen + payloadLen + tagLen

	version   = 0x20
	aesGCM    = 0
	finalFlag = 0x80
)

var errRejected = errors.New("rejected")

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// seal reads, seals and writes package after package with one buffer, under a nonce of zeros.
func seal(key []byte, from io.Reader, to io.Writer) error {
	aead, err := newAEAD(key)
	if err != nil {
		return err
	}
	// One byte more than a package takes tells whether another one follows.
	plain := make([]byte, payloadLen+1)
	sealed := make([]byte, 0, packageLen)
	have := 0
	for number := uint32(0); ; number++ {
		count, err := io.ReadFull(from, plain[have:])
		have += count
		isLast := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !isLast {
			return err
		}
		payload := plain[:min(have, payloadLen)]
		if len(payload) == 0 {
			return nil
		}
		header := sealed[:headerLen]
		clear(header)
		header[0], header[1] = version, aesGCM
		binary.LittleEndian.PutUint16(header[2:], uint16(len(payload)-1))
		if isLast {
			header[4] |= finalFlag
		}
		nonce := nonceOf(header, number)
		if _, err := to.Write(aead.Seal(header, nonce[:], payload, header[:4])); err != nil || isLast {
			return err
		}
		have = copy(plain, plain[payloadLen:have])
	}
}

// open reads, opens and writes package after package.
func open(key []byte, from io.Reader, to io.Writer) error {
	aead, err := newAEAD(key)
	if err != nil {
		return err
	}
	buffer := buffers.Get().(*[packageLen]byte)
	defer buffers.Put(buffer)
	packages := packageReader{from: from, aead: aead, buffer: buffer[:]}
	room := make([]byte, payloadLen)
	for !packages.final {
		payload, err := packages.open(room)
		if err != nil {
			return err
		}
		if _, err := to.Write(payload); err != nil {
			return err
		}
	}
	return nil
}

func nonceOf(header []byte, number uint32) (nonce [12]byte) {
	copy(nonce[:], header[4:])
	last := nonce[8:]
	binary.LittleEndian.PutUint32(last, binary.LittleEndian.Uint32(last)^number)
	return nonce
}

// buffers are kept for the next range, as sio keeps them. They are not wiped in between, which newer
// releases of sio do.
var buffers = sync.Pool{New: func() any { return new([packageLen]byte) }}

// readerAt opens ranges of a stored object.
type readerAt struct {
	stored io.ReaderAt
	aead   cipher.AEAD
}

func newReaderAt(stored io.ReaderAt, key []byte) (*readerAt, error) {
	aead, err := newAEAD(key)
	return &readerAt{stored, aead}, err
}

// ReadAt opens from the package that holds the offset, throws away what lies before it, and reads on
// until p is full.
func (r *readerAt) ReadAt(p []byte, offset int64) (int, error) {
	buffer := buffers.Get().(*[packageLen]byte)
	defer buffers.Put(buffer)
	number := offset / payloadLen
	from := io.NewSectionReader(r.stored, number*packageLen, 1<<62)
	packages := packageReader{from: from, aead: r.aead, number: uint32(number), buffer: buffer[:]}
	if _, err := io.CopyN(io.Discard, &packages, offset%payloadLen); err != nil {
		return 0, err
	}
	return io.ReadFull(&packages, p)
}

// packageReader opens package after package.
type packageReader struct {
	from   io.Reader
	aead   cipher.AEAD
	number uint32
	nonce  []byte
	final  bool
	buffer []byte
	// What of the buffer is opened and not yet read.
	opened []byte
}

func (r *packageReader) Read(p []byte) (count int, err error) {
	count = copy(p, r.opened)
	r.opened = r.opened[count:]
	for p = p[count:]; len(p) >= payloadLen; p = p[payloadLen:] {
		payload, err := r.open(p)
		if err != nil {
			return count, err
		}
		count += len(payload)
	}
	if len(p) > 0 {
		payload, err := r.open(r.buffer[headerLen:])
		if err != nil {
			return count, err
		}
		taken := copy(p, payload)
		r.opened = payload[taken:]
		count += taken
	}
	return count, nil
}

// open opens the next package into room.
func (r *packageReader) open(room []byte) ([]byte, error) {
	length, err := io.ReadFull(r.from, r.buffer)
	if err != nil && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	if length <= headerLen+tagLen || r.final {
		return nil, errRejected
	}
	header := r.buffer[:headerLen]
	payload := int(binary.LittleEndian.Uint16(header[2:])) + 1
	r.final = header[4]&finalFlag != 0
	if r.nonce == nil {
		r.nonce = bytes.Clone(header[4:])
	}
	if r.final {
		r.nonce[0] |= finalFlag
	}
	if header[0] != version || header[1] != aesGCM || headerLen+payload+tagLen != length ||
		!r.final && payload != payloadLen || !bytes.Equal(header[4:], r.nonce) {
		return nil, errRejected
	}
	nonce := nonceOf(header, r.number)
	r.number++
	return r.aead.Open(room[:0], nonce[:], r.buffer[headerLen:length], header[:4])
}
