package secure

import (
	"crypto/aes"
	"encoding/binary"
)

// BuildHello writes a ClientHello, for tests and for checking a deployment's
// own signatures: with a server's name, application protocols, and ECH.
func BuildHello(name string, alpn []string, hidden bool) []byte {
	var ext []byte
	add := func(typ int, value []byte) {
		ext = binary.BigEndian.AppendUint16(ext, uint16(typ))
		ext = append(binary.BigEndian.AppendUint16(ext, uint16(len(value))), value...)
	}
	if name != "" {
		v := binary.BigEndian.AppendUint16(nil, uint16(len(name)+3))
		v = append(v, 0)
		add(extName, append(binary.BigEndian.AppendUint16(v, uint16(len(name))), name...))
	}
	if len(alpn) > 0 {
		var list []byte
		for _, p := range alpn {
			list = append(append(list, byte(len(p))), p...)
		}
		add(extALPN, append(binary.BigEndian.AppendUint16(nil, uint16(len(list))), list...))
	}
	if hidden {
		add(extECH, make([]byte, 40))
	}
	body := append([]byte{3, 3}, make([]byte, 32)...)
	body = append(body, 0, 0, 2, 0x13, 1, 1, 0)
	body = append(binary.BigEndian.AppendUint16(body, uint16(len(ext))), ext...)
	return append([]byte{clientHello, byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}, body...)
}

// Record writes handshake bytes as TLS records of at most so many bytes.
func Record(b []byte, most int) (out []byte) {
	for len(b) > 0 {
		n := min(most, len(b))
		out = append(out, recordHandshake, 3, 1, byte(n>>8), byte(n))
		out, b = append(out, b[:n]...), b[n:]
	}
	return out
}

// BuildInitials writes a client's QUIC Initials with a ClientHello in so many
// pieces, one a packet; nil for a version that is not read.
func BuildInitials(number uint32, id, hello []byte, pieces int) (packets [][]byte) {
	v, ok := versionOf(number)
	if !ok {
		return nil
	}
	k, err := clientKeys(v, id)
	if err != nil {
		return nil
	}
	size := (len(hello) + pieces - 1) / pieces
	for i := range pieces {
		from, to := min(i*size, len(hello)), min((i+1)*size, len(hello))
		frame := []byte{6, 0x80, 0, byte(from >> 8), byte(from), 0x40 | byte((to-from)>>8), byte(to - from)}
		plain := append(frame, hello[from:to]...)
		plain = append(plain, make([]byte, max(0, 1162-len(plain)))...)
		packets = append(packets, k.seal(v, number, id, byte(i), plain))
	}
	return packets
}

// seal writes one Initial with a packet number of one byte.
func (k *keys) seal(v version, number uint32, id []byte, n byte, plain []byte) []byte {
	header := binary.BigEndian.AppendUint32([]byte{0xC0 | v.initial<<4}, number)
	header = append(append(header, byte(len(id))), id...)
	length := 1 + len(plain) + k.aead.Overhead()
	header = append(header, 0, 0, 0x40|byte(length>>8), byte(length), n)
	nonce := append([]byte{}, k.iv...)
	nonce[len(nonce)-1] ^= n
	packet := k.aead.Seal(header, nonce, plain, header)
	at := len(header) - 1
	var mask [aes.BlockSize]byte
	k.mask.Encrypt(mask[:], packet[at+4:at+4+aes.BlockSize])
	packet[0] ^= mask[0] & 0x0F
	packet[at] ^= mask[1]
	return packet
}
