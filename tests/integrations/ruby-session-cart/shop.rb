# A tea shop with a session cart. Ruby's own WEBrick, PStore for data.
require 'webrick'
require 'net/http'
require 'json'
require 'securerandom'
require 'bigdecimal'
require 'pstore'
require 'logger'
require 'cgi'

$stdout.sync = true
LOG = Logger.new($stdout, progname: 'teashop')
PUBLIC = ENV.fetch('PUBLIC_URL')
PRICE = BigDecimal('25.00')
CURRENCY = 'EUR'

class GatewayDown < StandardError; end

class Wallet
  def initialize
    @base = URI(ENV.fetch('WALLET_URL').chomp('/'))
    @lock = Mutex.new
    @token = nil
    @good_until = Time.at(0)
  end

  def create(order)
    LOG.info "create order=#{order[:id]} amount=#{order[:amount]} currency=#{CURRENCY}"
    d = call(Net::HTTP::Post, '/payment/create',
             amount: order[:amount], currency: CURRENCY, return_url: "#{PUBLIC}/thank-you?ref=#{order[:id]}",
             cancel_url: "#{PUBLIC}/cart?cancelled=#{order[:id]}", custom: order[:id])
    raise GatewayDown, 'create answer incomplete' unless d['token'].is_a?(String) && d['payment_url'].is_a?(String)

    d
  end

  def status(token)
    d = call(Net::HTTP::Get, "/payment/status?token=#{CGI.escape(token)}")
    raise GatewayDown, 'status of another payment' unless d['token'] == token

    LOG.info "status payment=#{token} trx=#{d['trx_id']} status=#{d['status']} paid=#{d['paid']} amount=#{d['amount']}"
    d
  end

  private

  def call(verb, path, body = nil)
    token = bearer
    res = send_to(verb, path, body, token)
    res = send_to(verb, path, body, bearer(token)) if res.code == '401'
    LOG.info "gateway #{path.split('?').first} -> #{res.code} #{res.body.to_s[0, 1500]}"
    unwrap(res)
  end

  def bearer(stale = nil)
    @lock.synchronize do
      return @token if @token && @token != stale && Time.now < @good_until

      @token = nil
      d = unwrap(send_to(Net::HTTP::Post, '/authentication/token', { client_id: ENV.fetch('WALLET_ID'), secret_id: ENV.fetch('WALLET_SECRET') }))
      raise GatewayDown, 'no token' unless d['access_token'].is_a?(String) && !d['access_token'].empty?

      @good_until = Time.now + [d['expire_time'].to_i - 60, 30].max
      @token = d['access_token']
    end
  end

  def send_to(verb, path, body, token = nil)
    raise GatewayDown, 'asked to wait' if @wait && Time.now < @wait

    http = Net::HTTP.new(@base.host, @base.port)
    http.use_ssl = @base.scheme == 'https'
    http.open_timeout = 10
    http.read_timeout = 25
    http.write_timeout = 25
    http.max_retries = 0
    req = verb.new(@base.path + path, 'Accept' => 'application/json')
    req['Authorization'] = "Bearer #{token}" if token
    if body
      req['Content-Type'] = 'application/json'
      req.body = JSON.generate(body)
    end
    res = Timeout.timeout(28) { http.request(req) } # Net::HTTP's own limits are for each read: a drip never meets them
    if res.code == '429'
      @wait = Time.now + [res['Retry-After'].to_i, 1].max
      raise GatewayDown, 'rate limited'
    end
    res
  rescue SystemCallError, SocketError, IOError, Timeout::Error, OpenSSL::SSL::SSLError, Net::HTTPBadResponse, Net::ProtocolError, Zlib::Error => e
    raise GatewayDown, e.class.name
  end

  def unwrap(res)
    doc = JSON.parse(res.body.to_s)
    raise GatewayDown, "HTTP #{res.code} #{res.body.to_s[0, 200]}" unless res.code == '200' && doc.is_a?(Hash) && doc['type'] == 'success' && doc['data'].is_a?(Hash)

    doc['data']
  rescue JSON::ParserError
    raise GatewayDown, "HTTP #{res.code}, no JSON"
  end
end

STORE = PStore.new(File.join(ENV.fetch('DATA_DIR'), 'tea.pstore'), true)
WALLET = Wallet.new
SESSIONS = Hash.new { |h, k| h[k] = { qty: 0, order: nil, lock: Mutex.new } }
SESSIONS_LOCK = Mutex.new

def order_of(id) = STORE.transaction(true) { STORE[id] }

def update(id)
  STORE.transaction { o = STORE[id]; yield o; STORE[id] = o }
end

def verify(order)
  order[:payments].each do |p|
    next if p[:state] == :paid

    d = WALLET.status(p[:token])
    update(order[:id]) do |o|
      mine = o[:payments].find { |x| x[:token] == p[:token] }
      next if mine[:state] == :paid

      if d['paid'] == true
        mine[:state] = :paid
        matches = (BigDecimal(d['amount'].to_s) rescue 0) >= BigDecimal(o[:amount]) && d['currency'] == CURRENCY && d['custom'] == o[:id]
        if !matches
          o[:state] = 'held'
          LOG.error "verification failed order=#{o[:id]}: amount or currency differ"
        elsif o[:state] == 'paid'
          o[:note] = 'paid twice'
          LOG.error "double payment order=#{o[:id]}"
        else
          o[:state] = 'paid'
          o[:shipments] += 1
        end
      elsif %w[EXPIRED CANCELLED FAILED].include?(d['status'])
        mine[:state] = :closed
      end
    end
  end
end

def html(res, title, text, code = 200)
  res.status = code
  res['Content-Type'] = 'text/html; charset=utf-8'
  res['Cache-Control'] = 'no-store'
  res.body = "<!doctype html><html><head><title>#{title}</title></head><body><h1>#{title}</h1>#{text}</body></html>"
end

def session(req, res)
  sid = req.cookies.find { |c| c.name == 'tea' }&.value
  unless sid && sid =~ /\A[0-9a-f]{32}\z/
    sid = SecureRandom.hex(16)
    res['Set-Cookie'] = "tea=#{sid}; Path=/; HttpOnly; Secure; SameSite=Lax"
  end
  SESSIONS_LOCK.synchronize { SESSIONS[sid] }
end

server = WEBrick::HTTPServer.new(BindAddress: '127.0.0.1', Port: ENV.fetch('PORT').to_i, Logger: WEBrick::Log.new($stderr, 2), AccessLog: [])
server.mount_proc('/favicon.ico') { |_q, r| r.status = 404 }
server.mount_proc('/') { |_q, r| html(r, 'Tea', '<a href="/cart/add/1">Sencha, 25.00 EUR</a>') }
server.mount_proc('/cart/add/1') do |q, r|
  s = session(q, r)
  s[:lock].synchronize { s[:qty] = 1 } # one tin a customer: the offer of the month
  html(r, 'Your cart', '<form method="post" action="/checkout"><button>Buy: 25.00 EUR</button></form>')
end
server.mount_proc('/cart') { |_q, r| html(r, 'Your cart', '<p>Your tea is still here. You were not charged.</p><form method="post" action="/checkout"><button>Buy</button></form>') }

server.mount_proc('/checkout') do |q, r|
  next html(r, 'Not here', '', 405) unless q.request_method == 'POST'

  s = session(q, r)
  s[:lock].synchronize do
    order = s[:order] && order_of(s[:order])
    begin
      verify(order) if order && order[:state] == 'new'
    rescue GatewayDown => e
      LOG.warn "could not look at the open payment: #{e.message}"
    end
    order = s[:order] && order_of(s[:order])
    if order && order[:state] != 'new' && s[:qty].zero?
      next r.set_redirect(WEBrick::HTTPStatus::SeeOther, '/my-order')
    end
    next html(r, 'Your cart is empty', '<p>Please choose a tea.</p>', 409) if s[:qty].zero? && order.nil?

    if order && order[:state] == 'new' && (open = order[:payments].reverse.find { |p| p[:state] == :open })
      next r.set_redirect(WEBrick::HTTPStatus::SeeOther, open[:url])
    end
    unless order && order[:state] == 'new'
      order = { id: "TEA#{SecureRandom.random_number(10**8).to_s.rjust(8, '0')}", amount: (PRICE * 1).to_s('F').sub(/\.(\d)\z/, '.\10'), state: 'new', shipments: 0, note: '', payments: [] }
      STORE.transaction { STORE[order[:id]] = order }
      s[:order] = order[:id]
    end
    begin
      d = WALLET.create(order)
      update(order[:id]) { |o| o[:payments] << { token: d['token'], url: d['payment_url'], state: :open } }
      s[:qty] = 0
      r.set_redirect(WEBrick::HTTPStatus::SeeOther, d['payment_url'])
    rescue GatewayDown => e
      LOG.error "payment could not be opened order=#{order[:id]}: #{e.message}"
      html(r, 'Sorry', '<p>We cannot reach the payment service. Nothing was charged, please try again soon.</p>', 503)
    end
  end
end

server.mount_proc('/thank-you') do |q, r|
  order = order_of(q.query['ref'].to_s)
  next html(r, 'Unknown order', '<p>We do not know this order.</p>', 404) unless order

  begin
    verify(order)
  rescue GatewayDown => e
    LOG.error "verification failed order=#{order[:id]}: #{e.message}"
  end
  order = order_of(order[:id])
  words = { 'paid' => 'Thank you! Your tea is on its way.', 'held' => 'We will check your payment and write to you.' }
  html(r, 'Your order', "<p>Order number <b id=\"number\">#{order[:id]}</b></p><p>#{words[order[:state]] || 'Your payment has not arrived yet. Reload this page in a minute.'}</p>")
end

server.mount_proc('/my-order') do |q, r|
  s = session(q, r)
  order = s[:order] && order_of(s[:order])
  next html(r, 'No order', '<p>You have no order.</p>', 404) unless order

  begin
    verify(order) if order[:state] == 'new'
  rescue GatewayDown => e
    LOG.warn "verification failed order=#{order[:id]}: #{e.message}"
  end
  order = order_of(order[:id])
  html(r, 'Your order', "<p id=\"state\">#{order[:state]}</p><p id=\"note\">#{order[:note]}</p><p>Parcels: <span id=\"parcels\">#{order[:shipments]}</span></p>")
end

%w[INT TERM].each { |sig| trap(sig) { server.shutdown } }
LOG.info 'tea shop is open'
server.start
