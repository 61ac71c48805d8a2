//! A small cache.
use std::collections::HashMap;

/// A cache that forgets the least recently used entry.
#[derive(Debug, Clone)]
pub struct Cache<K, V> {
    map: HashMap<K, V>,
    order: Vec<K>,
    size: usize,
}

impl<K: Clone + Eq + std::hash::Hash, V> Cache<K, V> {
    /// Makes an empty cache with room for `size` entries.
    pub fn new(size: usize) -> Self {
        Self { map: HashMap::new(), order: Vec::new(), size }
    }

    /// Puts a value in and drops the oldest one when there is no room.
    pub fn put(&mut self, key: K, value: V) -> Option<V> {
        if self.order.len() == self.size {
            let oldest = self.order.remove(0);
            self.map.remove(&oldest);
        }
        self.order.push(key.clone());
        self.map.insert(key, value)
    }

    #[inline]
    pub fn get(&self, key: &K) -> Option<&V> { self.map.get(key) }
}

mod inner {
    pub fn helper() -> u8 { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn puts() { let mut c = Cache::new(1); c.put(1, 2); assert_eq!(c.get(&1), Some(&2)); }
}
