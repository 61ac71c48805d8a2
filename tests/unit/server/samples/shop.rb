require "set"

module Billing
  # Sends invoices by mail once a month.
  class Mailer < Base
    attr_reader :address

    def initialize(address)
      @address = address
    end

    # Sends one invoice and remembers that it was sent.
    def deliver(invoice, at: Time.now)
      return if sent?(invoice)
      message = build(invoice)
      message.deliver_at(at)
      @sent << invoice.number
      log("sent #{invoice.number} to #{address}")
    end

    def self.monthly(customers)
      customers.each { |customer| new(customer.address).deliver(customer.invoice) }
    end

    private

    def sent?(invoice) = @sent.include?(invoice.number)
  end
end
