package access

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

// seal writes what a browser carries and can't read or change: JSON under AES-256
// in Galois/Counter Mode, with a random nonce, in base64url. Its purpose is part of
// what is sealed: a text of one is none of another.
type seal struct{ aead cipher.AEAD }

// LeastSecret is how long a secret must be, in bytes.
const LeastSecret = 32

// newSeal makes a seal of a secret; without one, of a random one, so that what is
// sealed ends with the process.
func newSeal(secret []byte) (seal, error) {
	if len(secret) == 0 {
		secret = make([]byte, LeastSecret)
		rand.Read(secret)
	}
	if len(secret) < LeastSecret {
		return seal{}, fmt.Errorf("the secret of the sessions has %d bytes; %d at least", len(secret), LeastSecret)
	}
	key, err := hkdf.Key(sha256.New, secret, nil, "rollcall sessions 1", 32)
	if err != nil {
		return seal{}, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return seal{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return seal{aead}, err
}

func (s seal) close(purpose string, v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, text, []byte(purpose))), nil //nolint:gosec // NewGCMWithRandomNonce draws the nonce
}

// errSeal says of a text that this seal has not closed it.
var errSeal = errors.New("is not what was given")

// maxSealed bounds what is opened: a browser keeps no longer cookies.
const maxSealed = 4096

func (s seal) open(purpose, sealed string, v any) error {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(sealed) > maxSealed {
		return errSeal
	}
	text, err := s.aead.Open(nil, nil, raw, []byte(purpose))
	if err != nil {
		return errSeal
	}
	return json.Unmarshal(text, v)
}
