#!/usr/bin/env bash
# Builds build/hello.war with a JDK and the servlet API of the installed Tomcat (10 or later, jakarta.*); nothing is downloaded.
# A first argument names another file to write.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
war=$(realpath -m "${1:-build/hello.war}")

api=
for jar in "${CATALINA_HOME:-/nowhere}"/lib/servlet-api.jar /usr/share/tomcat{11,10}/lib/servlet-api.jar \
  /usr/share/tomcat{11,10}/lib/tomcat{11,10}-servlet-api.jar /usr/share/java/tomcat{11,10}-servlet-api.jar \
  /usr/share/java/jakarta-servlet-api.jar; do
  if [ -e "$jar" ]; then api=$jar; break; fi
done
if [ -z "$api" ]; then
  echo 'No servlet API found: install Tomcat 10 (apt install tomcat10) or set CATALINA_HOME.' >&2
  exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r web/. "$work"
mkdir -p "$work/WEB-INF/classes" "$(dirname "$war")"
javac --release 11 -cp "$api" -d "$work/WEB-INF/classes" src/hello/*.java
jar --create --file "$war" -C "$work" .
echo "$war"
