installed = ENV["CLIENTS_INSTALLED"]
Gem.use_paths(Gem.dir, Gem.path + ["#{installed}/ruby"]) if installed
require "faraday"
require "timeout"
require_relative "told"

tell("Faraday #{Faraday::VERSION}") do |mode|
  client = Faraday.new
  client = Faraday.new(request: { open_timeout: 5, timeout: 30 }) if mode == "set" # recommended
  lambda do |method, url, headers, body|
    ask = -> { method == "POST" ? client.post(url, body, headers) : client.get(url, nil, headers) }
    if mode == "set"
      answer = Timeout.timeout(30) { ask.call } # recommended
    else
      answer = ask.call
    end
    [answer.status, answer.body]
  end
end
