import com.sun.net.httpserver.*;
import java.net.*;
import java.util.*;
import java.util.concurrent.Executors;

/** The JDK's own server: contexts are prefixes of the decoded path. */
final class JdkReferee {
    public static void main(String[] arguments) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 64);
        server.setExecutor(Executors.newFixedThreadPool(8));
        for (String path : Judge.PATHS) server.createContext(path, exchange -> answer(exchange, within(exchange, path)));
        server.createContext("/account/", exchange -> answer(exchange, "/account/"));
        server.createContext("/", exchange -> answer(exchange, normal(exchange)));
        server.start();
    }

    /** A context is a prefix of text, so `/api/statusx` is in `/api/status`: a handler has to look for the segment's end itself. */
    static String within(HttpExchange exchange, String context) {
        String rest = exchange.getRequestURI().getPath().substring(context.length());
        return rest.isEmpty() || rest.matches("(?s)[/;\\\\].*") ? context : normal(exchange);
    }

    /** What a handler does that normalises the path by java.net.URI, as many do. */
    static String normal(HttpExchange exchange) {
        String path = exchange.getRequestURI().normalize().getPath();
        for (String known : Judge.PATHS) if (known.equalsIgnoreCase(path)) return known;
        return path != null && path.toLowerCase(Locale.ROOT).startsWith("/account/") ? "/account/" : "other";
    }

    static Map<String, List<String>> pairs(String text) {
        Map<String, List<String>> found = new LinkedHashMap<>();
        for (String pair : (text == null ? "" : text).split("&")) {
            String[] halves = pair.split("=", 2);
            try {
                String name = URLDecoder.decode(halves[0], "UTF-8");
                String value = halves.length > 1 ? URLDecoder.decode(halves[1], "UTF-8") : "";
                if (List.of(Judge.NAMES).contains(name)) found.computeIfAbsent(name, n -> new ArrayList<>()).add(value);
            } catch (Exception malformed) {
                // As many handlers do: what cannot be decoded is passed over.
            }
        }
        return found;
    }

    static String shown(Map<String, List<String>> found) {
        StringJoiner out = new StringJoiner(",", "{", "}");
        found.forEach((name, values) -> out.add(Judge.quoted(name) + ":" + Judge.list(values)));
        return out.toString();
    }

    static void answer(HttpExchange exchange, String resource) {
        try (exchange) {
            String body = new String(exchange.getRequestBody().readAllBytes(), "UTF-8");
            String kind = Objects.requireNonNullElse(exchange.getRequestHeaders().getFirst("Content-Type"), "");
            Map<String, String> heard = new LinkedHashMap<>();
            exchange.getRequestHeaders().forEach((name, values) -> heard.put(name.toLowerCase(Locale.ROOT), String.join(", ", values)));
            Map<String, String> places = new LinkedHashMap<>();
            places.put("query", shown(pairs(exchange.getRequestURI().getRawQuery())));
            if (kind.toLowerCase(Locale.ROOT).contains("form-urlencoded")) places.put("form", shown(pairs(body)));
            places.put("basic", "{\"client_id\":" + Judge.basicUser(heard.get("authorization")) + "}");
            byte[] text = Judge.verdict("jdk", resource, places, heard).getBytes("UTF-8");
            exchange.getResponseHeaders().set("X-Referee", "jdk");
            boolean head = exchange.getRequestMethod().equals("HEAD");
            exchange.sendResponseHeaders(200, head ? -1 : text.length);
            if (!head) exchange.getResponseBody().write(text);
        } catch (Exception gone) {
            // The client has left, or sent what cannot be read.
        }
    }
}
