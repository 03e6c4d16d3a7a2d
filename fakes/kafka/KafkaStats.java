import com.sun.management.OperatingSystemMXBean;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;

/** Runs a Kafka broker and answers its own counters as JSON on 127.0.0.1, port {@code stats.port}. */
public class KafkaStats {
  private static final MBeanServer beans = ManagementFactory.getPlatformMBeanServer();

  public static void main(String[] args) throws Exception {
    HttpServer server =
        HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.getInteger("stats.port")), 0);
    server.createContext("/", KafkaStats::answer);
    server.setExecutor(
        Executors.newSingleThreadExecutor(
            work -> {
              Thread thread = new Thread(work, "stats");
              thread.setDaemon(true);
              return thread;
            }));
    server.start();
    kafka.Kafka.main(args);
  }

  private static void answer(HttpExchange exchange) throws IOException {
    int status = 200;
    String body;
    try {
      body = stats();
    } catch (JMException | RuntimeException e) {
      status = 500;
      body = String.valueOf(e);
    }
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private static String stats() throws JMException {
    Map<String, Long> requests = requests();
    Map<String, Long> fields = new TreeMap<>();
    String network = "kafka.server:type=socket-server-metrics,listener=*,networkProcessor=*";
    fields.put("bytesIn", sum(network, "incoming-byte-total"));
    fields.put("bytesOut", sum(network, "outgoing-byte-total"));
    fields.put("connections", sum(network, "connection-count"));
    fields.put("heapBytes", ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
    OperatingSystemMXBean system =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    fields.put("cpuMicros", system.getProcessCpuTime() / 1000);
    return "{\"requests\":" + json(requests) + "," + json(fields).substring(1);
  }

  /** Counts since the start, by request and version: {@code ListOffsets v3}. */
  private static Map<String, Long> requests() throws JMException {
    Map<String, Long> counts = new TreeMap<>();
    ObjectName pattern = new ObjectName("kafka.network:type=RequestMetrics,name=RequestsPerSec,*");
    for (ObjectName name : beans.queryNames(pattern, null)) {
      long count = ((Number) beans.getAttribute(name, "Count")).longValue();
      String request = name.getKeyProperty("request") + " v" + name.getKeyProperty("version");
      if (count > 0) counts.merge(request, count, Long::sum);
    }
    return counts;
  }

  private static long sum(String pattern, String attribute) throws JMException {
    double total = 0;
    for (ObjectName name : beans.queryNames(new ObjectName(pattern), null)) {
      total += ((Number) beans.getAttribute(name, attribute)).doubleValue();
    }
    return (long) total;
  }

  private static String json(Map<String, Long> numbers) {
    return numbers.entrySet().stream()
        .map(e -> "\"" + e.getKey() + "\":" + e.getValue())
        .collect(Collectors.joining(",", "{", "}"));
  }
}
