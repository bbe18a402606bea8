package hello;

import jakarta.servlet.annotation.WebServlet;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.atomic.AtomicLong;

/** A page that shows which server runs it. */
@WebServlet("")
public class HelloServlet extends HttpServlet {
  private static final long serialVersionUID = 1L;
  private final AtomicLong requests = new AtomicLong();

  @Override
  protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
    response.setContentType("text/html;charset=UTF-8");
    PrintWriter out = response.getWriter();
    out.println("<!doctype html><html lang=en><meta charset=utf-8><title>Hello from a war</title>");
    out.println("<link rel=stylesheet href=style.css>");
    out.println("<main><h1>Hello from a <em>war</em>.</h1><ul>");
    item(out, "Server", getServletContext().getServerInfo());
    item(out, "Java", System.getProperty("java.version"));
    item(out, "Servlet API", getServletContext().getMajorVersion() + "." + getServletContext().getMinorVersion());
    item(out, "Requests answered", Long.toString(requests.incrementAndGet()));
    out.println("</ul></main></html>");
  }

  private static void item(PrintWriter out, String name, String value) {
    out.println("<li>" + name + ": <b>" + value + "</b></li>");
  }
}
