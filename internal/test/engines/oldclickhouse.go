package engines

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// oldServer is where Debian puts its ClickHouse.
const oldServer = "/usr/sbin/clickhouse-server"

// SecureClickHouseServer is one ClickHouse 18.16 with one user who can log in.
type SecureClickHouseServer struct {
	process
	plain, secure, web int
	authority          *Authority
}

// Addr is its "host:port" for the native protocol without TLS.
func (c *SecureClickHouseServer) Addr() string { return address(c.plain) }

// SecureAddr is its "host:port" for the native protocol in TLS.
func (c *SecureClickHouseServer) SecureAddr() string { return address(c.secure) }

// Authority signed the server's certificate, and those of the clients that a
// server which asks for certificates lets in.
func (c *SecureClickHouseServer) Authority() *Authority { return c.authority }

// SecureClickHouse starts Debian's ClickHouse 18.16 and stops it with the test.
// Its user has the password, kept as SHA-256; the user "default" is there and
// may come from nowhere. The certificate is of the name "clickhouse" and of
// 127.0.0.1. With ofClients the secure port wants one of the client too. Where
// it can't run, see Require.
func SecureClickHouse(t testing.TB, user, password string, ofClients bool) *SecureClickHouseServer {
	t.Helper()
	Require(t, OldClickHouseEngine)
	ports := freePorts(t, 3)
	c := &SecureClickHouseServer{plain: ports[0], secure: ports[1], web: ports[2], authority: NewAuthority(t)}
	c.process = process{t: t, name: "ClickHouse 18.16 on " + c.Addr(), dir: t.TempDir(), answer: c.answers}
	hash := sha256.Sum256([]byte(password))
	c.write("users.xml", fmt.Sprintf(oldUsers, user, hex.EncodeToString(hash[:])))
	certificate, key := c.authority.Sign("clickhouse")
	verify := "none"
	if ofClients {
		verify = "strict"
	}
	config := c.write("config.xml", fmt.Sprintf(oldConfig, quoted(c.dir), c.plain, c.secure, c.web,
		quoted(certificate), quoted(key), quoted(c.authority.File()), verify))
	c.argv = []string{oldServer, "--config-file=" + config}
	t.Cleanup(c.cleanUp)
	c.start()
	return c
}

func (c *SecureClickHouseServer) write(name, text string) (path string) {
	c.t.Helper()
	path = filepath.Join(c.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return path
}

func quoted(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a builder takes everything
	return b.String()
}

// answers asks /ping, which needs no user.
func (c *SecureClickHouseServer) answers(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address(c.web)+"/ping", nil)
	if err != nil {
		return err
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if said, err := io.ReadAll(response.Body); err != nil || !strings.HasPrefix(string(said), "Ok.") {
		return fmt.Errorf("it says %q: %w", said, err)
	}
	return nil
}

// oldUsers is of: the user, and the SHA-256 of the password in hexadecimal.
const oldUsers = `<yandex><profiles><default/></profiles><quotas><default/></quotas><users>
<%[1]s><password_sha256_hex>%[2]s</password_sha256_hex><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></%[1]s>
<default><password/><networks/><profile>default</profile><quota>default</quota></default>
</users></yandex>`

// oldConfig is of: folder; plain, secure and web port; the certificate, its key
// and its authority; how clients are verified.
const oldConfig = `<yandex>
<logger><level>warning</level><console>1</console></logger>
<path>%[1]s/data/</path><tmp_path>%[1]s/tmp/</tmp_path><users_config>%[1]s/users.xml</users_config>
<default_profile>default</default_profile><default_database>default</default_database><mark_cache_size>5000000</mark_cache_size>
<listen_host>127.0.0.1</listen_host><tcp_port>%[2]d</tcp_port><tcp_port_secure>%[3]d</tcp_port_secure><http_port>%[4]d</http_port>
<openSSL><server><certificateFile>%[5]s</certificateFile><privateKeyFile>%[6]s</privateKeyFile><caConfig>%[7]s</caConfig>
<verificationMode>%[8]s</verificationMode><loadDefaultCAFile>false</loadDefaultCAFile><disableProtocols>sslv2,sslv3</disableProtocols></server></openSSL>
</yandex>`
