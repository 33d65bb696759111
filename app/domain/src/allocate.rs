//! Dividing an amount without losing or inventing a cent.

use crate::Cents;

/// Divides `total` in proportion to `weights` by the method of the largest remainder.
///
/// Each part is its exact share rounded down, and the cents that are left go one each to the parts with the largest remainders;
/// between equal remainders the earlier part is served first, so the result depends on nothing but the arguments. The parts always
/// add up to `total`, and with `0 <= total <= sum(weights)` no part exceeds its weight. A negative total is divided as its opposite.
/// When all weights are zero the first part takes everything; without weights there are no parts.
#[must_use]
pub fn largest_remainder(total: Cents, weights: &[u64]) -> Vec<Cents> {
    if total.is_negative() {
        return largest_remainder(-total, weights).into_iter().map(|part| -part).collect();
    }
    let sum: u128 = weights.iter().map(|w| u128::from(*w)).sum();
    if sum == 0 {
        let mut parts = vec![Cents::ZERO; weights.len()];
        if let Some(first) = parts.first_mut() {
            *first = total;
        }
        return parts;
    }
    let amount = total.0.unsigned_abs() as u128;
    let mut remainders = Vec::with_capacity(weights.len());
    let mut parts: Vec<Cents> = weights
        .iter()
        .enumerate()
        .map(|(i, weight)| {
            let exact = amount * u128::from(*weight);
            remainders.push((exact % sum, i));
            // `exact / sum <= amount`, which came from an `i64`.
            Cents((exact / sum) as i64)
        })
        .collect();
    let mut left = total - parts.iter().sum::<Cents>();
    remainders.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    for (_, i) in remainders {
        if left == Cents::ZERO {
            break;
        }
        parts[i] += Cents(1);
        left -= Cents(1);
    }
    parts
}

/// Divides `total` into `count` parts that differ by at most a cent; the earlier parts are the larger ones.
#[must_use]
pub fn equal_parts(total: Cents, count: usize) -> Vec<Cents> {
    largest_remainder(total, &vec![1; count])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_bills() {
        assert_eq!(equal_parts(Cents(10_200), 4), [2550; 4].map(Cents));
        assert_eq!(equal_parts(Cents(1785), 4), [447, 446, 446, 446].map(Cents));
        assert_eq!(equal_parts(Cents(5), 4), [2, 1, 1, 1].map(Cents));
        assert_eq!(equal_parts(Cents(10_000), 3), [3334, 3333, 3333].map(Cents));
        assert_eq!(largest_remainder(Cents(100), &[0, 0]), [100, 0].map(Cents));
        assert_eq!(largest_remainder(Cents(100), &[]), []);
    }

    proptest! {
        #[test]
        fn parts_add_up_to_the_cent(total in -10_000_000i64..10_000_000, weights in prop::collection::vec(0u64..1_000_000, 1..40)) {
            let parts = largest_remainder(Cents(total), &weights);
            prop_assert_eq!(parts.iter().sum::<Cents>(), Cents(total));
            prop_assert!(parts.iter().all(|p| p.0.signum() * total.signum() >= 0), "nothing of the other sign");
        }

        #[test]
        fn no_part_exceeds_its_weight(weights in prop::collection::vec(0u64..1_000_000, 1..40), permille in 0u64..=1000) {
            let sum: u64 = weights.iter().sum();
            let total = Cents((sum * permille / 1000) as i64);
            for (part, weight) in largest_remainder(total, &weights).iter().zip(&weights) {
                prop_assert!(part.0 <= *weight as i64);
            }
        }

        #[test]
        fn each_part_is_within_a_cent_of_its_exact_share(total in 0i64..10_000_000, weights in prop::collection::vec(1u64..1_000, 1..20)) {
            let sum: i128 = weights.iter().map(|w| i128::from(*w)).sum();
            for (part, weight) in largest_remainder(Cents(total), &weights).iter().zip(&weights) {
                let error = i128::from(part.0) * sum - i128::from(total) * i128::from(*weight);
                prop_assert!(error.abs() < sum);
            }
        }
    }
}
