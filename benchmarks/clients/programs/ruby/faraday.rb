installed = ENV["CLIENTS_INSTALLED"]
Gem.use_paths(Gem.dir, Gem.path + ["#{installed}/ruby"]) if installed
require "faraday"
require "timeout"
require_relative "told"

tell("Faraday #{Faraday::VERSION}") do |mode|
  client = Faraday.new
  if mode == "set"
    client = Faraday.new(request: { open_timeout: 5, timeout: 30 }) # recommended
  end
  lambda do |method, url, headers, body|
    verb, body = method.downcase.to_sym, body.empty? ? nil : body
    if mode == "set"
      answer = Timeout.timeout(30) { client.run_request(verb, url, body, headers) } # recommended
    else
      answer = client.run_request(verb, url, body, headers)
    end
    [answer.status, answer.body]
  end
end
