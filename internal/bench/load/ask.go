package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
)

// conn asks over one connection, which stays open. It reads of HTTP/1.1 what our
// servers write and no more: on two cores a whole client would take as much of
// them as the server does.
type conn struct {
	net.Conn
	r *bufio.Reader
}

func dial(ctx context.Context, address string) (*conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &conn{c, bufio.NewReaderSize(c, 16<<10)}, nil
}

// request is a GET as it is sent.
func request(path, host, key string) []byte {
	text := "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n"
	if key != "" {
		text += "Authorization: Bearer " + key + "\r\n"
	}
	return []byte(text + "\r\n")
}

// ask sends a request, reads its answer to the end, and gives the status.
func (c *conn) ask(request []byte) (status int, err error) {
	if _, err := c.Write(request); err != nil {
		return 0, err
	}
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, fmt.Errorf("the answer begins with %q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, err
	}
	length, err := c.length()
	if err != nil {
		return status, err
	}
	_, err = c.r.Discard(length)
	return status, err
}

// length reads the headers, and gives the length of the body behind them.
func (c *conn) length() (length int, err error) {
	length = -1
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, err
			}
		}
	}
	if length < 0 {
		return 0, errors.New("an answer without Content-Length is not read here")
	}
	return length, nil
}
