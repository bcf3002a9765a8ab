import jakarta.servlet.http.*;
import java.io.IOException;
import java.util.*;

/** Answers what the container has understood. */
final class TomcatServlet extends HttpServlet {
    private final String resource;

    TomcatServlet(String resource) {
        this.resource = resource;
    }

    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
        StringJoiner found = new StringJoiner(",", "{", "}");
        for (String name : Judge.NAMES) {
            String[] values = request.getParameterValues(name);
            if (values != null) found.add(Judge.quoted(name) + ":" + Judge.list(List.of(values)));
        }
        Map<String, String> heard = new LinkedHashMap<>();
        for (String name : Collections.list(request.getHeaderNames())) {
            heard.put(name.toLowerCase(Locale.ROOT), String.join(", ", Collections.list(request.getHeaders(name))));
        }
        Map<String, String> places = new LinkedHashMap<>();
        places.put("query", found.toString());
        places.put("basic", "{\"client_id\":" + Judge.basicUser(request.getHeader("Authorization")) + "}");
        response.setHeader("X-Referee", "tomcat");
        response.setHeader("X-Believed", request.getRemoteAddr());
        response.getWriter().write(Judge.verdict("tomcat", known(request), places, heard));
    }

    /** By mapping; or by servlet path and path info in any case, as filters match them. */
    private String known(HttpServletRequest request) {
        String path = request.getServletPath() + Objects.requireNonNullElse(request.getPathInfo(), "");
        for (String known : Judge.PATHS) if (known.equalsIgnoreCase(path)) return known;
        return resource;
    }
}
