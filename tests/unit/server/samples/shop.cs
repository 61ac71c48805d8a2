using System;
using System.Collections.Generic;

namespace Shop.Orders
{
    /// <summary>Stores orders in memory until they are shipped.</summary>
    public class OrderStore : IOrderStore
    {
        private readonly Dictionary<int, Order> orders = new();

        public int Count => orders.Count;

        public OrderStore(ILogger logger)
        {
            Logger = logger;
        }

        /// <summary>Adds an order and gives it a new number.</summary>
        [HttpPost("/orders")]
        public int Add(Order order)
        {
            if (order == null) throw new ArgumentNullException(nameof(order));
            var number = orders.Count + 1;
            orders[number] = order;
            Logger.Info($"order {number} added for {order.Customer} with {order.Items.Count} items");
            return number;
        }

        public async Task<Order> FindAsync(int number, CancellationToken token)
        {
            await Task.Delay(10, token);
            return orders.TryGetValue(number, out var order) ? order : throw new KeyNotFoundException(number.ToString());
        }
    }

    public enum State { New, Shipped, Lost }
}
