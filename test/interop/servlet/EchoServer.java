// Tomcat and Jetty side by side, each with one servlet that says what it sees: the decoded path and the parameters, as a server in it
// would get them. Prints the two ports when both listen.

import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Map;
import org.apache.catalina.Context;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

public class EchoServer {
  public static void main(String[] arguments) throws Exception {
    System.out.println("tomcat " + startTomcat() + " jetty " + startJetty());
  }

  static int startTomcat() throws Exception {
    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir(Files.createTempDirectory("scopegate-tomcat").toString());
    Connector connector = new Connector();
    connector.setPort(0);
    connector.setProperty("address", "127.0.0.1");
    connector.setProperty("maxKeepAliveRequests", "-1");
    tomcat.setConnector(connector);
    Context context = tomcat.addContext("", null);
    Tomcat.addServlet(context, "echo", new Echo());
    context.addServletMappingDecoded("/*", "echo");
    tomcat.start();
    return connector.getLocalPort();
  }

  static int startJetty() throws Exception {
    Server server = new Server();
    ServerConnector connector = new ServerConnector(server);
    connector.setHost("127.0.0.1");
    connector.setPort(0);
    server.addConnector(connector);
    ServletContextHandler context = new ServletContextHandler("/");
    context.addServlet(new ServletHolder(new Echo()), "/*");
    server.setHandler(context);
    server.start();
    return connector.getLocalPort();
  }

  static class Echo extends HttpServlet {
    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
      StringBuilder said = new StringBuilder("{\"path\":");
      String info = request.getPathInfo();
      quote(said, request.getServletPath() + (info == null ? "" : info));
      said.append(",\"parameters\":[");
      String between = "";
      for (Map.Entry<String, String[]> parameter : request.getParameterMap().entrySet()) {
        said.append(between).append('[');
        quote(said, parameter.getKey());
        for (String value : parameter.getValue()) {
          said.append(',');
          quote(said, value);
        }
        said.append(']');
        between = ",";
      }
      byte[] bytes = said.append("]}").toString().getBytes(StandardCharsets.US_ASCII);
      response.setContentType("application/json");
      response.setContentLength(bytes.length);
      response.getOutputStream().write(bytes);
    }

    static void quote(StringBuilder into, String text) {
      into.append('"');
      for (char character : text.toCharArray()) {
        if (character < 0x20 || character > 0x7e || character == '"' || character == '\\') {
          into.append(String.format("\\u%04x", (int) character));
        } else {
          into.append(character);
        }
      }
      into.append('"');
    }
  }
}
