/* SPDX-License-Identifier: MIT */
/* An echo server on asio as its manual writes one: a session per connection, kept alive by its
 * handlers, that reads some and writes all of it. */
#include <asio.hpp>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

using asio::ip::tcp;

class session : public std::enable_shared_from_this<session>
{
  public:
    session(tcp::socket socket, std::size_t size) : socket_(std::move(socket)), bytes_(size)
    {
        socket_.set_option(tcp::no_delay(true));
    }

    void read()
    {
        socket_.async_read_some(asio::buffer(bytes_),
                                [self = shared_from_this()](asio::error_code error, std::size_t n) {
                                    if (!error)
                                        self->write(n);
                                });
    }

  private:
    void write(std::size_t size)
    {
        asio::async_write(socket_, asio::buffer(bytes_, size),
                          [self = shared_from_this()](asio::error_code error, std::size_t) {
                              if (!error)
                                  self->read();
                          });
    }

    tcp::socket socket_;
    std::vector<char> bytes_;
};

static void accept(tcp::acceptor &acceptor, std::size_t buffer_bytes)
{
    acceptor.async_accept([&acceptor, buffer_bytes](asio::error_code error, tcp::socket socket) {
        if (!error)
            std::make_shared<session>(std::move(socket), buffer_bytes)->read();
        accept(acceptor, buffer_bytes);
    });
}

/* asio_echo [BUFFER-BYTES] */
int main(int argc, char **argv)
{
    std::size_t buffer_bytes = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 8192;
    asio::io_context context(1);
    tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
    acceptor.listen(4096);
    accept(acceptor, buffer_bytes);
    std::printf("listening on 127.0.0.1:%u\n", unsigned(acceptor.local_endpoint().port()));
    std::fflush(stdout);
    context.run();
    return 0;
}
