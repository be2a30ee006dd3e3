package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
)

// listenSocket opens DIR/rollcall.sock for this user alone. The caller holds
// the folder, so a socket that is there already is a dead process's.
func listenSocket(dir string) (net.Listener, error) {
	name := socketPath(dir)
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("socket: %w", err)
	}
	var l net.Listener
	err := near(dir, func(path string) (err error) {
		l, err = new(net.ListenConfig).Listen(context.Background(), "unix", path)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // the path that it knows is a detour
	if err := os.Chmod(name, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("socket: %w", err), l.Close())
	}
	return l, nil
}

func socketPath(dir string) string { return filepath.Join(dir, "rollcall.sock") }

// near gives the socket's path by way of the open folder: a socket's path may
// have 108 bytes at most, a folder's more.
func near(dir string, use func(path string) error) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	return use(fmt.Sprintf("/proc/self/fd/%d/rollcall.sock", folder.Fd()))
}

// SocketClient speaks REST over the folder's socket.
func SocketClient(dir string) *http.Client {
	dial := func(ctx context.Context, _, _ string) (c net.Conn, err error) {
		err = near(dir, func(path string) (err error) {
			c, err = new(net.Dialer).DialContext(ctx, "unix", path)
			return err
		})
		return c, err
	}
	return &http.Client{Transport: &http.Transport{DialContext: dial}}
}

// openSocket serves the API to commands on the folder's socket.
func (p *Process) openSocket(dir string) error {
	socket, err := listenSocket(dir)
	if err != nil {
		return err
	}
	p.onClose("socket file", func() error { return os.Remove(socketPath(dir)) })
	p.listen("socket", socket, p.handler)
	return nil
}
