import java.util.*;

/** What the referees on the JVM have in common. */
final class Judge {
    static final String[] NAMES = {"client_id", "tenantId", "audience", "resource", "scope", "grant_type"};
    static final String[] PATHS = {"/oauth2/authorize", "/oauth2/token", "/api/v2/users", "/api/status"};

    static String quoted(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') out.append('\\').append(c);
            else if (c < ' ' || c > '~') out.append(String.format("\\u%04x", (int) c));
            else out.append(c);
        }
        return out.append('"').toString();
    }

    static String list(Collection<String> values) {
        StringJoiner out = new StringJoiner(",", "[", "]");
        for (String value : values) out.add(quoted(value));
        return out.toString();
    }

    static String basicUser(String authorization) {
        if (authorization == null || !authorization.regionMatches(true, 0, "basic ", 0, 6)) return "[]";
        try {
            String decoded = new String(Base64.getDecoder().decode(authorization.substring(6).trim()), "UTF-8");
            return list(List.of(decoded.split(":", 2)[0]));
        } catch (Exception malformed) {
            return "[]";
        }
    }

    static String verdict(String referee, String resource, Map<String, String> places, Map<String, String> heard) {
        StringJoiner read = new StringJoiner(",", "{", "}");
        places.forEach((place, found) -> read.add(quoted(place) + ":" + found));
        StringJoiner fields = new StringJoiner(",", "{", "}");
        heard.forEach((name, value) -> { if (!name.equals("authorization")) fields.add(quoted(name) + ":" + quoted(value)); });
        return "{\"referee\":" + quoted(referee) + ",\"resource\":" + quoted(resource) + ",\"places\":" + read + ",\"heard\":" + fields + "}";
    }
}
