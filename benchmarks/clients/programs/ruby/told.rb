# What every client of Ruby has in common: reads the command line, calls, tells.
require "json"

# The block gets the mode and gives a call(method, url, headers, body) -> [status, body of the answer].
def tell(version)
  if ARGV[0] == "--version"
    puts "#{version}, Ruby #{RUBY_VERSION}"
    return
  end
  url, method, mode, calls, token, body = ARGV
  headers = { "Authorization" => "Bearer #{token}" }
  headers["Content-Type"] = "application/json" unless body.empty?
  call = yield mode
  calls.to_i.times do |made|
    sleep 0.1 if made > 0
    began = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    told = outcome { call.call(method, url, headers, body) }
    puts JSON.generate(told.merge(seconds: (Process.clock_gettime(Process::CLOCK_MONOTONIC) - began).round(2)))
    $stdout.flush
  end
  $stdin.read
end

def outcome
  status, body = yield
  { outcome: "answer", status: status, bytes: body.to_s.bytesize }
rescue StandardError, Timeout::Error => error
  { outcome: "error", error: "#{error.class}: #{error.message}"[0, 200] }
end
