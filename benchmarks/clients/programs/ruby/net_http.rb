require "net/http"
require "timeout"
require_relative "told"

LIMITS = { open_timeout: 5, read_timeout: 30, max_retries: 0 } # recommended

tell("Net::HTTP #{Net::HTTP::VERSION}") do |mode|
  kept = nil
  lambda do |method, url, headers, body|
    address = URI(url)
    secure = address.scheme == "https"
    request = (method == "POST" ? Net::HTTP::Post : Net::HTTP::Get).new(address, headers)
    request.body = body unless body.empty?
    if mode == "set"
      answer = Timeout.timeout(30) do # recommended
        Net::HTTP.start(address.host, address.port, use_ssl: secure, **LIMITS) { |http| http.request(request) } # recommended
      end # recommended
    else
      kept ||= Net::HTTP.start(address.host, address.port, use_ssl: secure)
      answer = kept.request(request)
    end
    [answer.code.to_i, answer.body]
  end
end
