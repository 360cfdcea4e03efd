//! What is asked for: a basket that is known to be legal.

use std::collections::HashMap;

use rust_decimal::Decimal;
use sha2::{Digest, Sha256};

use crate::email::CustomerEmail;

/// The most lines that an order may have.
pub const MAX_LINES: usize = 500;

/// The most units that one line may ask for.
pub const MAX_QUANTITY: i32 = 1_000_000;

/// One line of a basket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// What is asked for.
    pub product_id: i64,
    /// How many units.
    pub quantity: i32,
}

/// 1 to [`MAX_LINES`] lines of 1 to [`MAX_QUANTITY`] units each, no product twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basket(Vec<Wanted>);

/// What keeps lines from being a basket. Lines are counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BasketFault {
    /// There are no lines.
    #[error("An order needs at least one item.")]
    Empty,
    /// There are too many lines.
    #[error("An order may have up to {MAX_LINES} items.")]
    TooManyLines,
    /// A line asks for too few or too many units.
    #[error("Must be an integer from 1 to {MAX_QUANTITY}.")]
    Quantity {
        /// The line.
        line: usize,
    },
    /// A line names a product that an earlier line named.
    #[error("Duplicate product: items {first} and {line} both ask for product {product_id}.")]
    Duplicate {
        /// The later line.
        line: usize,
        /// The earliest line with this product.
        first: usize,
        /// The product.
        product_id: i64,
    },
}

impl Basket {
    /// Checks the lines.
    ///
    /// # Errors
    /// With everything that is wrong with them.
    pub fn new(lines: Vec<Wanted>) -> Result<Self, Vec<BasketFault>> {
        let mut faults: Vec<BasketFault> = wrong_length(lines.len()).into_iter().collect();
        let legal = |line: &Wanted| (1..=MAX_QUANTITY).contains(&line.quantity);
        faults.extend(
            lines.iter().enumerate().filter(|(_, line)| !legal(line)).map(|(line, _)| BasketFault::Quantity { line }),
        );
        faults.extend(duplicates(lines.iter().map(|line| line.product_id).enumerate()));
        if faults.is_empty() { Ok(Self(lines)) } else { Err(faults) }
    }

    /// The lines, as they were asked for.
    pub fn lines(&self) -> &[Wanted] {
        &self.0
    }

    /// The products asked for, each once.
    pub fn product_ids(&self) -> Vec<i64> {
        self.0.iter().map(|line| line.product_id).collect()
    }

    /// SHA-256 of the content: equal for equal baskets with an equal total and address, whatever JSON they were written
    /// in.
    pub fn digest(&self, expected_total: Option<Decimal>, customer_email: Option<&CustomerEmail>) -> [u8; 32] {
        let mut hasher = Sha256::new();
        for line in &self.0 {
            hasher.update(line.product_id.to_be_bytes());
            hasher.update(line.quantity.to_be_bytes());
        }
        if let Some(total) = expected_total {
            hasher.update(total.normalize().to_string());
        }
        if let Some(address) = customer_email {
            // No total ends so.
            hasher.update(" to ");
            hasher.update(address.as_str());
        }
        hasher.finalize().into()
    }
}

/// What is wrong with this number of lines.
pub(crate) fn wrong_length(lines: usize) -> Option<BasketFault> {
    match lines {
        0 => Some(BasketFault::Empty),
        1..=MAX_LINES => None,
        _ => Some(BasketFault::TooManyLines),
    }
}

/// Every repeat of a product among (line, product), in order.
pub(crate) fn duplicates(products: impl Iterator<Item = (usize, i64)>) -> Vec<BasketFault> {
    let mut seen = HashMap::new();
    let mut repeats = Vec::new();
    for (line, product_id) in products {
        let first = *seen.entry(product_id).or_insert(line);
        if first != line {
            repeats.push(BasketFault::Duplicate { line, first, product_id });
        }
    }
    repeats
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pairs: &[(i64, i32)]) -> Vec<Wanted> {
        pairs.iter().map(|&(product_id, quantity)| Wanted { product_id, quantity }).collect()
    }

    #[test]
    fn every_fault_is_named() {
        assert_eq!(Basket::new(vec![]), Err(vec![BasketFault::Empty]));
        assert_eq!(
            Basket::new(lines(&[(1, 0), (2, 1), (1, 1_000_001), (1, 5), (2, 1_000_000)])),
            Err(vec![
                BasketFault::Quantity { line: 0 },
                BasketFault::Quantity { line: 2 },
                BasketFault::Duplicate { line: 2, first: 0, product_id: 1 },
                BasketFault::Duplicate { line: 3, first: 0, product_id: 1 },
                BasketFault::Duplicate { line: 4, first: 1, product_id: 2 },
            ])
        );
    }

    #[test]
    fn five_hundred_lines_are_the_most() {
        let many: Vec<(i64, i32)> = (0..501).map(|product| (product, 1)).collect();
        assert!(Basket::new(lines(&many[..500])).is_ok());
        assert_eq!(Basket::new(lines(&many)), Err(vec![BasketFault::TooManyLines]));
    }

    #[test]
    fn the_digest_is_that_of_the_content() {
        let digest = |pairs: &[(i64, i32)]| Basket::new(lines(pairs)).unwrap().digest(None, None);
        assert_eq!(digest(&[(1, 2), (3, 4)]), digest(&[(1, 2), (3, 4)]));
        let others: [&[(i64, i32)]; 4] = [&[(3, 4), (1, 2)], &[(1, 2)], &[(1, 4), (3, 2)], &[(1, 2), (3, 5)]];
        for other in others {
            assert_ne!(digest(&[(1, 2), (3, 4)]), digest(other), "{other:?}");
        }
        let basket = Basket::new(lines(&[(1, 2)])).unwrap();
        let expecting = |total: &str| basket.digest(Some(total.parse().unwrap()), None);
        assert_eq!(expecting("1.50"), expecting("1.5"));
        assert_ne!(expecting("1.50"), expecting("1.51"));
        assert_ne!(expecting("1.50"), basket.digest(None, None));
        let addressed = |to: &str| basket.digest(None, Some(&CustomerEmail::parse(to).unwrap()));
        assert_eq!(addressed("ann@customer.example"), addressed("ann@customer.example"));
        assert_ne!(addressed("ann@customer.example"), addressed("bob@customer.example"));
        assert_ne!(addressed("ann@customer.example"), basket.digest(None, None));
    }
}
