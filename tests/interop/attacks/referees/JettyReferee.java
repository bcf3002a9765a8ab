import java.net.InetSocketAddress;
import org.eclipse.jetty.http.HttpCompliance;
import org.eclipse.jetty.server.*;
import org.eclipse.jetty.servlet.*;

/** Jetty with its oldest and most lenient reading of HTTP. */
final class JettyReferee {
    public static void main(String[] arguments) throws Exception {
        Server server = new Server();
        HttpConfiguration settings = new HttpConfiguration();
        settings.addCustomizer(new ForwardedRequestCustomizer());
        ServerConnector connector = new ServerConnector(server, new HttpConnectionFactory(settings, HttpCompliance.LEGACY));
        connector.setHost("127.0.0.1");
        connector.setPort(Integer.parseInt(arguments[0]));
        server.addConnector(connector);
        ServletContextHandler context = new ServletContextHandler();
        context.setCompactPath(true);
        for (String path : Judge.PATHS) context.addServlet(new ServletHolder(new JettyServlet(path)), path);
        context.addServlet(new ServletHolder(new JettyServlet("/account/")), "/account/*");
        context.addServlet(new ServletHolder(new JettyServlet("other")), "/");
        server.setHandler(context);
        server.start();
        server.join();
    }
}
