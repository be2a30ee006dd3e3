package engines

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"rollcall/internal/test/engines/cache"
)

// KafkaServer is one Apache Kafka, broker and controller in one process.
type KafkaServer struct {
	process
	port   int
	secure int    // 0: it has no secure listener
	ca     string // file of the certificate authority
}

// Addr is its "host:port" for clients.
func (k *KafkaServer) Addr() string { return address(k.port) }

// Kafka starts an Apache Kafka without topics, which creates none by itself,
// and stops it with the test. properties are further lines of its
// server.properties, such as "message.max.bytes=2000000". Where it can't run,
// see Require.
func Kafka(t testing.TB, properties ...string) *KafkaServer {
	t.Helper()
	Require(t, KafkaEngine)
	ports := freePorts(t, 2)
	k := newKafka(t, ports[0])
	k.run(ports[1], properties)
	return k
}

func newKafka(t testing.TB, port int) *KafkaServer {
	k := &KafkaServer{port: port}
	k.process = process{t: t, name: "Kafka on " + k.Addr(), dir: t.TempDir(), answer: k.answers}
	return k
}

// run formats the server's folder and starts it. scram are further arguments
// of the formatting.
func (k *KafkaServer) run(controller int, properties []string, scram ...string) {
	t := k.t
	t.Helper()
	dir, err := cache.Find()
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(k.dir, "server.properties")
	text := kafkaProperties(k.dir, k.port, controller, properties)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	java := []string{"java", "-Xmx512m", "-XX:+UseSerialGC",
		"-XX:TieredStopAtLevel=1", // halves the processor time of a start
		"-Dlog4j2.level=WARN", "-cp", filepath.Join(dir.KafkaJars(), "*")}
	format(t, append(append(java[:len(java):len(java)], "kafka.tools.StorageTool", "format", "-t", clusterID, "-c", config), scram...))
	k.argv = append(java[:len(java):len(java)], "kafka.Kafka", config)
	t.Cleanup(k.cleanUp)
	k.start()
}

// clusterID is any 16 bytes in base64url: a folder is never moved to another cluster.
const clusterID = "cm9sbGNhbGwtdGVzdHMtMQ"

// format writes the cluster's identity, without which Kafka won't start.
func format(t testing.TB, argv []string) {
	t.Helper()
	printed, err := exec.CommandContext(t.Context(), argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("format Kafka's folder: %v\n%s", err, printed)
	}
}

// kafkaProperties is a server.properties for one node. The short session lets
// it take itself back soon after a kill -9.
func kafkaProperties(dir string, port, controller int, more []string) string {
	lines := append([]string{
		"process.roles=broker,controller",
		"node.id=1",
		fmt.Sprintf("controller.quorum.voters=1@%s", address(controller)),
		fmt.Sprintf("listeners=PLAINTEXT://%s,CONTROLLER://%s", address(port), address(controller)),
		"controller.listener.names=CONTROLLER",
		"log.dirs=" + filepath.Join(dir, "log"),
		"auto.create.topics.enable=false",
		"offsets.topic.replication.factor=1",
		"offsets.topic.num.partitions=1",
		"transaction.state.log.replication.factor=1",
		"transaction.state.log.min.isr=1",
		"group.initial.rebalance.delay.ms=0",
		"broker.session.timeout.ms=3000",
		"broker.heartbeat.interval.ms=500",
	}, more...)
	return strings.Join(lines, "\n") + "\n"
}

// answers asks for the brokers of the cluster until it names itself.
func (k *KafkaServer) answers(ctx context.Context) error {
	transport := &kafka.Transport{DialTimeout: time.Second}
	defer transport.CloseIdleConnections()
	client := kafka.Client{Addr: kafka.TCP(k.Addr()), Timeout: 5 * time.Second, Transport: transport}
	found, err := client.Metadata(ctx, &kafka.MetadataRequest{})
	if err != nil {
		return err
	}
	if len(found.Brokers) == 0 {
		return errors.New("no broker has registered")
	}
	return nil
}
