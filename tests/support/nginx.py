# SPDX-License-Identifier: EUPL-1.2
"""nginx as a child, from a few lines of configuration: an upstream or a front proxy that nobody here wrote."""

from __future__ import annotations

import os
from string import Template
from typing import TYPE_CHECKING

from support.servers import LOOPBACK, Process, accepts, free_port

if TYPE_CHECKING:
    from pathlib import Path

NGINX = "/usr/sbin/nginx"

_FRAME = Template("""\
daemon off;
$user
worker_processes 1;
pid $folder/nginx.pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
  access_log off;
  default_type application/octet-stream;
  types { text/html html; application/json json; text/css css; }
  client_body_temp_path $folder/body;
  proxy_temp_path $folder/proxy;
  fastcgi_temp_path $folder/fastcgi;
  uwsgi_temp_path $folder/uwsgi;
  scgi_temp_path $folder/scgi;
  keepalive_timeout 75s;
  keepalive_requests 100000000;
  $http
}
""")


def nginx(folder: Path, http: str, port: int, *, before: tuple[str, ...] = (), name: str = "nginx") -> Process:
    """nginx with `http` inside its http block; `port` is one that the block listens on (the readiness probe).

    `before` goes before the command (`taskset -c 0`). Not started yet: enter it, or call `start()`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Workers drop to another user by default, who may not read a test's private folder.
    user = "user root;" if os.geteuid() == 0 else ""
    path = folder / "nginx.conf"
    path.write_text(_FRAME.substitute(user=user, folder=folder, http=http), encoding="utf-8")
    command: list[str | Path] = [*before, NGINX, "-e", "stderr", "-p", folder, "-c", path]
    return Process(command, folder, ready=accepts(port), name=name)


def upstream(
    folder: Path, locations: str, *, port: int | None = None, before: tuple[str, ...] = ()
) -> tuple[Process, int]:
    """An origin server with these `location` blocks; files are served from `folder/www`. Gives it and its port."""
    port = port or free_port()
    (folder / "www").mkdir(parents=True, exist_ok=True)
    server = f"server {{ listen {LOOPBACK}:{port} backlog=4096; root {folder}/www; {locations} }}"
    return nginx(folder, server, port, before=before, name="nginx-upstream"), port


def proxy(
    folder: Path, origin: int, *, port: int | None = None, extra: str = "", before: tuple[str, ...] = ()
) -> tuple[Process, int]:
    """A front proxy to a loopback origin: HTTP/1.1, kept connections; `extra` goes into its location."""
    port = port or free_port()
    http = f"""
  upstream origin {{ server {LOOPBACK}:{origin}; keepalive 64; keepalive_requests 100000000; }}
  server {{
    listen {LOOPBACK}:{port} backlog=4096;
    location / {{
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_max_temp_file_size 0;
      {extra}
    }}
  }}"""
    return nginx(folder, http, port, before=before, name="nginx-proxy"), port
