require "net/http"

$stdout.sync = true
while (line = $stdin.gets)
  address, seconds = line.split
  url = URI(address)
  size = 0
  begin
    connection = Net::HTTP.new(url.host, url.port)
    connection.use_ssl = url.scheme == "https"
    connection.open_timeout = connection.read_timeout = connection.ssl_timeout = Float(seconds)
    told = connection.start do |http|
      http.request_post(url.path, ARGV[0], "Content-Type" => "application/json") do |answer|
        catch(:enough) { answer.read_body { |part| throw :enough if (size += part.bytesize) >= 1_000_000 } }
        break "ok #{answer.code} #{[size, 1_000_000].min}"
      end
    end
    puts told
  rescue StandardError, Timeout::Error => error
    puts "error #{error.class} #{error.message}".tr("\n", " ")
  end
end
