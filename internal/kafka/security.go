package kafka

import (
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"

	"rollcall"
)

// Login names a user to the brokers by a SASL mechanism: "plain",
// "scram-sha-256" or "scram-sha-512". The error never has the password.
func Login(mechanism, user, password string) (sasl.Mechanism, error) {
	switch mechanism {
	case "plain":
		return plain.Mechanism{Username: user, Password: password}, nil
	case "scram-sha-256":
		return scrambled(scram.SHA256, user, password)
	case "scram-sha-512":
		return scrambled(scram.SHA512, user, password)
	}
	return nil, &rollcall.Invalid{Field: "sasl", Value: mechanism, Reason: "is not plain, scram-sha-256 or scram-sha-512", Code: "sasl"}
}

func scrambled(algorithm scram.Algorithm, user, password string) (sasl.Mechanism, error) {
	m, err := scram.Mechanism(algorithm, user, password)
	if err != nil {
		return nil, &rollcall.Invalid{Field: "sasl", Value: algorithm.Name(), Reason: "can't carry this user or password", Code: "sasl"}
	}
	return m, nil
}
