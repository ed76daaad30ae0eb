require "net/http"
require "timeout"
require_relative "told"

tell("Net::HTTP #{Net::HTTP::VERSION}") do |mode|
  http = nil
  lambda do |method, url, headers, body|
    address = URI(url)
    http ||= Net::HTTP.new(address.host, address.port).tap do |made|
      made.use_ssl = address.scheme == "https"
      made.open_timeout, made.read_timeout, made.max_retries = 5, 30, 0 if mode == "set" # recommended
      made.start
    end
    request = (method == "POST" ? Net::HTTP::Post : Net::HTTP::Get).new(address, headers)
    request.body = body unless body.empty?
    if mode == "set"
      answer = Timeout.timeout(30) { http.request(request) } # recommended
    else
      answer = http.request(request)
    end
    [answer.code.to_i, answer.body]
  end
end
