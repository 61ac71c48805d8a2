package com.example.shop;

import java.util.List;
import java.util.Map;

/**
 * Computes prices of orders with discounts applied.
 */
@Service
public class PriceService {
    private static final int MAX = 10;
    private final Map<String, Integer> prices;

    public PriceService(Map<String, Integer> prices) {
        this.prices = prices;
    }

    /** Returns the total price of all items in the given order. */
    @Override
    public int total(List<Item> items) {
        int sum = 0;
        for (Item item : items) {
            sum += prices.getOrDefault(item.name(), 0) * item.count();
            if (item.discounted()) {
                sum -= item.discount();
            }
        }
        return sum;
    }

    // Looks up one price; throws when there is none.
    public int price(String name) {
        Integer price = prices.get(name);
        if (price == null) {
            throw new IllegalArgumentException("no price for " + name);
        }
        return price;
    }

    public Map<String, Integer> copyOf() {
        return Map.copyOf(prices);
    }

    interface Item {
        String name();
        int count();
        boolean discounted();
        int discount();
    }
}
