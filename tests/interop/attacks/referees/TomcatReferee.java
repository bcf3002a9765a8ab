import java.io.File;
import org.apache.catalina.Context;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;
import org.apache.catalina.valves.RemoteIpValve;

/** Tomcat in the setting that decodes most. */
final class TomcatReferee {
    public static void main(String[] arguments) throws Exception {
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(arguments[1]);
        tomcat.setPort(Integer.parseInt(arguments[0]));
        tomcat.setHostname("localhost");
        Connector connector = tomcat.getConnector();
        connector.setProperty("address", "127.0.0.1");
        connector.setProperty("encodedSolidusHandling", "decode");
        connector.setProperty("allowBackslash", "true");
        connector.setProperty("relaxedPathChars", "\"<>[\\]^`{|}");
        connector.setProperty("relaxedQueryChars", "\"<>[\\]^`{|}");
        Context context = tomcat.addContext("", new File(arguments[1]).getAbsolutePath());
        context.getPipeline().addValve(new RemoteIpValve());
        context.setAllowCasualMultipartParsing(true);
        int number = 0;
        for (String path : Judge.PATHS) serve(context, "s" + number++, path, path);
        serve(context, "account", "/account/*", "/account/");
        serve(context, "other", "/", "other");
        tomcat.start();
        tomcat.getServer().await();
    }

    static void serve(Context context, String name, String pattern, String resource) {
        Tomcat.addServlet(context, name, new TomcatServlet(resource));
        context.addServletMappingDecoded(pattern, name);
    }
}
