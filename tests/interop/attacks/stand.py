"""Referees and the gateways in front of them: started on free loopback ports, one referee at a time."""

import os
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from harness import free_port  # noqa: E402

REFEREES = HERE / "referees"
QUICK = ("starlette", "express", "flask", "aiohttp", "nginx", "php", "jdk", "tomcat")
ALL = (*QUICK, "httpd", "fastify", "jetty")
JETTY = "server servlet http io util util-ajax security".split()
JARS = Path("/usr/share/java")


def filled(template, folder, **values):
    """A copy of a template with its `@NAME@` places filled in."""
    text = (HERE / template).read_text()
    for name, value in {"FOLDER": folder, **values}.items():
        text = text.replace(f"@{name}@", str(value))
    path = Path(folder) / Path(template).name
    path.write_text(text)
    return path


def java(main, jars, *arguments):
    """A Java referee, compiled into a folder that is kept."""
    classes = HERE / ".classes"
    return ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", ":".join([str(classes), *jars]), main, *arguments]


def command(name, port, folder):
    python, node = sys.executable, os.environ.get("NODE") or shutil.which("node") or "node"
    gunicorn = [python, "-m", "gunicorn", "--chdir", REFEREES, "-b", f"127.0.0.1:{port}", "-k", "gthread", "--threads", "16"]
    match name:
        case "starlette":
            return [python, "-m", "uvicorn", "--app-dir", REFEREES, "--port", port, "--no-access-log", "--log-level", "critical", "starlette_app:app"]
        case "flask":
            return [*gunicorn, "--log-level", "critical", "--keep-alive", "60", "flask_app:app"]
        case "aiohttp":
            return [python, REFEREES / "aiohttp_app.py", port]
        case "express" | "fastify":
            return [node, REFEREES / f"{name}_app.mjs", port]
        case "nginx":
            return ["nginx", "-e", "stderr", "-c", filled("referees/nginx.conf", folder, PORT=port)]
        case "httpd":
            (Path(folder) / "htdocs").mkdir(exist_ok=True)
            return ["apache2", "-D", "FOREGROUND", "-f", filled("referees/httpd.conf", folder, PORT=port)]
        case "php":
            return ["php", "-q", "-d", "log_errors=0", "-d", "display_errors=0", "-S", f"127.0.0.1:{port}", REFEREES / "index.php"]
        case "jdk":
            return java("JdkReferee", [], port)
        case "tomcat":
            return java("TomcatReferee", [str(JARS / f"tomcat10-{part}.jar") for part in ("embed-core", "embed-el", "annotations-api")], port, folder)
        case "jetty":
            jars = [str(JARS / f"jetty9-{part}.jar") for part in JETTY]
            return java("JettyReferee", [*jars, str(JARS / "servlet-api.jar"), str(JARS / "jakarta-servlet-api.jar")], port)
    raise ValueError(name)


def gateway(at, name, upstream, closed, more=""):
    """A gateway in front of a port; `closed`: the default tenant has the ACL as well."""
    port = free_port()
    text = (HERE / "policies/common.toml").read_text()
    acl = 'ip_acl = "office"' if closed else ""
    for place, value in {"PORT": port, "UPSTREAM": upstream, "DEFAULT_ACL": acl}.items():
        text = text.replace(f"@{place}@", str(value))
    at.gateway(name, text + more, port)
    return port
