/* SPDX-License-Identifier: MIT */
/*
 * Packet types, the decoder that needs no runtime, and packets as they are delivered.
 *
 * Who owns a packet
 * 1. A packet handed to a callback is lent for that call: its bytes lie in a receive buffer.
 * 2. weir_packet_keep makes it the caller's: {mode,binary} shares the buffer from 4 KiB on, while
 *    fewer than half of the buffers are lent, and copies less; {mode,list} is a private copy that
 *    nobody else sees. Either way weir_packet_release gives it back, once.
 * 3. A packet out of weir_recv or a mailbox's message is the caller's already.
 */
#ifndef WEIR_PACKET_H
#define WEIR_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/version.h>

WEIR_BEGIN

/* {packet, Type}. The numbers of raw, 1, 2 and 4 are the document's own. */
enum weir_packet_type {
    WEIR_RAW = 0,
    WEIR_1 = 1,
    WEIR_2 = 2,
    WEIR_ASN1 = 3,
    WEIR_4 = 4,
    WEIR_CDR,
    WEIR_SUNRM,
    WEIR_FCGI,
    WEIR_TPKT,
    WEIR_LINE,
    WEIR_HTTP,
    WEIR_HTTP_BIN,
    WEIR_HTTPH,
    WEIR_HTTPH_BIN,
    WEIR_PACKET_TYPE_COUNT
};

/* The name of a packet type: "raw", "1", "line", "httph_bin"; NULL for no type. Any thread. Static
 * memory. */
WEIR_API const char *weir_packet_type_name(enum weir_packet_type type);

/* The packet type that a name stands for ("0" is raw), or -EINVAL. Any thread. */
WEIR_API int weir_packet_type_from_name(const char *name);

/* A run of bytes that somebody else owns. */
typedef struct weir_slice {
    const char *bytes;
    size_t size;
} weir_slice;

/* Which of the forms an HttpPacket has. */
enum weir_http_kind {
    WEIR_HTTP_REQUEST,  /* {http_request, Method, Uri, Version} */
    WEIR_HTTP_RESPONSE, /* {http_response, Version, Status, Phrase} */
    WEIR_HTTP_HEADER,   /* {http_header, Number, Field, OriginalName, Value} */
    WEIR_HTTP_EOH,      /* http_eoh */
    WEIR_HTTP_ERROR,    /* {http_error, Line} */
};

/* The methods that have an atom in the document; any other is a text. */
enum weir_http_method {
    WEIR_HTTP_OTHER_METHOD, /* the method is text only */
    WEIR_HTTP_OPTIONS,
    WEIR_HTTP_GET,
    WEIR_HTTP_HEAD,
    WEIR_HTTP_POST,
    WEIR_HTTP_PUT,
    WEIR_HTTP_DELETE,
    WEIR_HTTP_TRACE,
};

/* The forms of the URI of a request. */
enum weir_http_uri {
    WEIR_URI_ANY,      /* '*' */
    WEIR_URI_PATH,     /* {abs_path, path} */
    WEIR_URI_ABSOLUTE, /* {absoluteURI, scheme, host, port, path} */
    WEIR_URI_SCHEME,   /* {scheme, host (before the colon), path (after it)} */
    WEIR_URI_TEXT,     /* anything else, in path */
};

/* The document's HttpPacket. Slices point into the packet, the field name also into static memory
 * or into `field_text`: weir_packet_keep copies it, an assignment does not. What the kind of packet
 * or the form of URI does not have is not set. */
typedef struct weir_http {
    enum weir_http_kind kind;
    uint32_t version_major; /* request, response */
    uint32_t version_minor;
    union {
        struct {
            enum weir_http_method method;
            enum weir_http_uri uri;
            bool https;        /* absolute: the scheme */
            bool port_defined; /* absolute: false is the document's `undefined` */
            uint32_t port;
            weir_slice method_text;
            weir_slice host;
            weir_slice path;
        } request;
        struct {
            uint32_t status;
            weir_slice phrase;
        } response;
        struct {
            uint32_t number;     /* 1..52 for a known field, else 0 */
            weir_slice field;    /* in canonical case: "Content-Length" */
            weir_slice original; /* as it came */
            weir_slice value;
            char field_text[50]; /* where an unknown name is put in canonical case */
        } header;
        weir_slice error; /* the line, its end included */
    } as;
} weir_http;

/* What weir_decode_packet says of its input. */
enum weir_decode_result {
    WEIR_DECODE_OK,
    WEIR_DECODE_MORE,
    WEIR_DECODE_INVALID,
};

/* Limits of weir_decode_packet. */
typedef struct weir_decode_options {
    uint32_t packet_size;   /* most bytes of a body (or line), 0 = no limit */
    uint32_t line_length;   /* lines are cut at this many bytes, 0 = never */
    uint8_t line_delimiter; /* '\n' in the document */
} weir_decode_options;

/* What weir_decode_packet has found. */
typedef struct weir_decoded {
    const uint8_t *bytes; /* OK: the packet, within the input */
    size_t size;
    size_t consumed; /* OK: bytes of input that it took */
    size_t needed;   /* MORE: size of the whole packet with its header, 0 = not known yet */
} weir_decoded;

/*
 * Decodes the first packet of `input`, erlang:decode_packet/3. `options` may be NULL (no limits,
 * lines end with LF). `http` is filled in for the http types and may be NULL for all others.
 * Returns OK, MORE or INVALID; -EINVAL for a type that is none or http without a place for it.
 * Allocates nothing, keeps nothing, needs no runtime. Any thread.
 */
WEIR_API int weir_decode_packet(enum weir_packet_type type, const void *input, size_t size,
                                const weir_decode_options *options, weir_decoded *decoded,
                                weir_http *http) WEIR_CHECK_RESULT;

/* {mode, ...} */
enum weir_mode { WEIR_LIST, WEIR_BINARY };
/* {deliver, ...} */
enum weir_deliver { WEIR_TERM, WEIR_PORT };

struct weir_buffer;
struct weir_datagram;

/* One packet as delivered. The header stands right before the bytes in memory. */
typedef struct weir_packet {
    const uint8_t *bytes;
    size_t size;
    const uint8_t *header; /* {header, Size}: the first Size bytes, NULL when there are fewer */
    size_t header_size;
    size_t padding_size;   /* fcgi: so many bytes of padding follow the bytes in memory */
    const weir_http *http; /* http types, else NULL */
    const struct weir_datagram *datagram; /* udp, else NULL: where from, see udp.h */
    enum weir_mode mode;                  /* what keeping it gives */
    enum weir_deliver deliver;  /* which of the document's two message forms it is tagged as */
    struct weir_buffer *buffer; /* private, as the next */
    bool lent;
} weir_packet;

/*
 * Makes a lent packet the caller's, in `kept`; of one that is the caller's another such. 0, or
 * -ENOMEM. A lent one on the scheduler that lent it, others on any thread.
 */
WEIR_API int weir_packet_keep(const weir_packet *packet, weir_packet *kept) WEIR_CHECK_RESULT;

/* Gives back a packet that is the caller's and clears it. Any thread. NULL bytes: nothing. One that
 * is lent, or a copy of one that was given back already, ends the process. */
WEIR_API void weir_packet_release(weir_packet *packet);

WEIR_END

#endif
