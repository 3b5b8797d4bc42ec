#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# dig, which is nobody's toy, asks `weir serve dns`, over UDP and TCP. Argument: the command.
set -uo pipefail
command -v dig >/dev/null || { echo "dig is missing: ./run deps test"; exit 1; }
weir=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

long=$(printf 'x%.0s' {1..200})
cat >"$work/zone" <<END
; what this knows
\$ORIGIN example.test.
\$TTL 120
@          A     192.0.2.1
    60 IN  TXT   "two words" second
www        A     192.0.2.2
           A     192.0.2.3
           AAAA  2001:db8::2
alias      CNAME www
far        CNAME alias.example.test.
loop       CNAME pool
pool       CNAME loop
away       CNAME www.elsewhere.test.
nowhere    CNAME nobody
deep.empty A     192.0.2.4
long       TXT   "$long" "$long" "$long"
longer     TXT   "$long" "$long" "$long" "$long" "$long" "$long" "$long"
\$ORIGIN 2.0.192.in-addr.arpa.
1          PTR   example.test.
\$ORIGIN lower.b.zone.
www        A     192.0.2.5
\$ORIGIN zone.
@          A     192.0.2.6
\$ORIGIN bare.c.zone.
END

exec {out}< <(exec "$weir" serve dns --zone "$work/zone" --listen 127.0.0.1:0 --schedulers 2)
server=$!
read -r -t 60 -u "$out" line
port=${line##*:}

# ask EXPECTED dig's arguments...: its answer, lines joined by |, as +short or as +noall says
ask() {
    local expected=$1 said
    shift
    said=$(dig @127.0.0.1 -p "$port" +tries=2 +time=20 "$@" 2>&1 | paste -sd '|')
    [ "$said" = "$expected" ] || { echo "dig $*: '$said' instead of '$expected'"; failed=1; }
}

# status EXPECTED arguments...: rcode, flags, how many answers
status() {
    local expected=$1 said
    shift
    said=$(dig @127.0.0.1 -p "$port" +tries=2 +time=20 +noall +comments "$@" 2>&1 | sed -nE \
        's/.*status: ([A-Z0-9]+),.*/\1/p; s/^;; flags: ([^;]*);.*ANSWER: ([0-9]+),.*/\1 \2/p' |
        paste -sd ' ')
    [ "$said" = "$expected" ] || { echo "dig $*: '$said' instead of '$expected'"; failed=1; }
}

for way in +notcp +tcp; do
    ask "192.0.2.1" +short $way example.test A
    ask "192.0.2.2|192.0.2.3" +short $way www.example.test A
    ask "2001:db8::2" +short $way wWw.eXample.Test AAAA
    ask '"two words" "second"' +short $way example.test TXT
    ask "example.test." +short $way -x 192.0.2.1
    ask "alias.example.test.|www.example.test.|192.0.2.2|192.0.2.3" +short $way far.example.test A
    ask "www.example.test." +short $way alias.example.test CNAME
    ask "www.elsewhere.test." +short $way away.example.test A
    status "NOERROR qr aa rd 1" $way example.test
    status "NOERROR qr aa rd 0" $way example.test MX
    status "NOERROR qr aa rd 0" $way empty.example.test
    status "NOERROR qr aa rd 0" $way b.zone
    status "NOERROR qr aa rd 0" $way c.zone
    status "NXDOMAIN qr aa rd 0" $way d.zone
    status "REFUSED qr rd 0" $way test
    status "NXDOMAIN qr aa rd 0" $way nobody.example.test
    status "NXDOMAIN qr aa rd 1" $way nowhere.example.test
    status "NOERROR qr aa rd 16" $way loop.example.test
    status "REFUSED qr rd 0" $way example.org
    status "REFUSED qr rd 0" $way example.test TXT -c CH
    status "NOERROR qr aa rd 3" $way www.example.test ANY +noignore
    status "NOTIMP qr rd 0" $way +opcode=STATUS example.test
    status "NOERROR qr aa 1" $way +norecurse example.test
    status "BADVERS qr rd 0" $way +edns=3 +noednsneg example.test
done

# What does not fit: 512 bytes without EDNS, what is asked for with it, 1,232 at most.
status "NOERROR qr aa tc rd 0" +ignore +noedns long.example.test TXT
status "NOERROR qr aa tc rd 0" +ignore +bufsize=600 long.example.test TXT
status "NOERROR qr aa rd 1" +ignore +bufsize=700 long.example.test TXT
status "NOERROR qr aa tc rd 0" +ignore +bufsize=4096 longer.example.test TXT
three="\"$long\" \"$long\" \"$long\""
ask "$three" +short +noedns long.example.test TXT
ask "$three $three \"$long\"" +short longer.example.test TXT

# Malformed: a name that is a pointer, and one that does not end, are FORMERR; less than a header is
# nothing, and after it the service goes on.
raw() {
    printf "$2" >&"$peer"
    local said
    said=$(timeout 20 head -c 4 <&"$peer" | od -An -tx1 | tr -d ' \n')
    [ "$said" = "$1" ] || { echo "'$2': $said instead of $1"; failed=1; }
}
exec {peer}<>"/dev/udp/127.0.0.1/$port"
printf '\x01' >&"$peer"
raw 12348101 '\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\xc0\x0c\x00\x01\x00\x01'
exec {peer}>&-
exec {peer}<>"/dev/udp/127.0.0.1/$port"
raw 12358101 '\x12\x35\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x3fabc'
exec {peer}>&-
ask "192.0.2.1" +short example.test A
kill "$server"
wait "$server" || { echo "the service ended with status $?"; failed=1; }

# Zone files that say nonsense: where, and what.
mistake() {
    local said
    printf "$2" >"$work/bad"
    said=$("$weir" serve dns --zone "$work/bad" --listen 127.0.0.1:0 2>&1 </dev/null)
    [ $? -ne 0 ] && [ "$said" = "weir serve: --zone: $work/bad:$1" ] ||
        { echo "zone '$2': '$said' instead of '$1'"; failed=1; }
}
mistake "1:1: a name that does not end with a dot, before any \$ORIGIN" 'www A 192.0.2.1\n'
mistake "2:7: an IPv4 address is expected" '$ORIGIN a.\nwww A 192.0.2.256\n'
mistake "2:5: A, AAAA, CNAME, PTR or TXT is expected" '$ORIGIN a.\nwww MX 10 b\n'
mistake "2:1: a row without a name, and none before it" '$ORIGIN a.\n  A 192.0.2.1\n'
mistake "2:1: the name is in none of the zones that \$ORIGIN has begun" \
    '$ORIGIN a.\nb.c. A 192.0.2.1\n'
mistake "3:3: a name with a CNAME can have nothing else" '$ORIGIN a.\nb CNAME c\nb A 192.0.2.1\n'
mistake "2:7: a quote without an end" '$ORIGIN a.\nb TXT "open\n'
mistake "2:15: nothing is expected here" '$ORIGIN a.\nb A 192.0.2.1 more\n'
mistake "1:1: \$ORIGIN or \$TTL is expected" '$INCLUDE x\n'
mistake "2:6: seconds from 0 to 2147483647 are expected" '$ORIGIN a.\n$TTL 4294967296\n'
exit $failed
