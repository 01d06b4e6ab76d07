//! Which keys may wrap data keys: [`unfitness`].

use crate::token::Facts;

/// Why a key must not be used, if so. What a token does not tell counts against the key.
pub(crate) fn unfitness(facts: Facts, imported_keys: bool) -> Option<&'static str> {
    let is = |fact, wanted| fact == Some(wanted);
    let rules = [
        (facts.aes_256, "is no AES key of 256 bits"),
        (is(facts.private, true), "can be used without the PIN (CKA_PRIVATE)"),
        (is(facts.sensitive, true), "can be read in clear (CKA_SENSITIVE)"),
        (is(facts.extractable, false), "can be extracted (CKA_EXTRACTABLE)"),
        (is(facts.encrypt, true), "must not encrypt (CKA_ENCRYPT)"),
        (is(facts.decrypt, true), "must not decrypt (CKA_DECRYPT)"),
        (
            imported_keys || is(facts.never_extractable, true),
            "could be extracted once (CKA_NEVER_EXTRACTABLE)",
        ),
        (imported_keys || is(facts.local, true), "was not made in the token (CKA_LOCAL)"),
    ];
    rules.into_iter().find(|(kept, _)| !kept).map(|(_, fault)| fault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::FIT;

    #[test]
    fn a_key_made_in_the_token_that_cannot_leave_it_is_fit() {
        assert_eq!(unfitness(FIT, false), None);
    }

    #[test]
    fn a_key_with_any_fact_other_or_untold_is_unfit() {
        assert!(unfitness(Facts { aes_256: false, ..FIT }, true).is_some());
        let unfit = |turn: fn(&mut Facts) -> &mut Option<bool>| {
            for told in [turn(&mut FIT.clone()).map(|fact| !fact), None] {
                let mut facts = FIT;
                *turn(&mut facts) = told;
                assert!(unfitness(facts, false).is_some(), "{facts:?}");
            }
        };
        unfit(|facts| &mut facts.private);
        unfit(|facts| &mut facts.sensitive);
        unfit(|facts| &mut facts.extractable);
        unfit(|facts| &mut facts.never_extractable);
        unfit(|facts| &mut facts.local);
        unfit(|facts| &mut facts.encrypt);
        unfit(|facts| &mut facts.decrypt);
    }

    #[test]
    fn an_imported_key_is_fit_on_request_and_one_that_can_be_extracted_never() {
        let imported = Facts { local: Some(false), never_extractable: Some(false), ..FIT };
        assert!(unfitness(imported, false).is_some());
        assert_eq!(unfitness(imported, true), None);
        assert!(unfitness(Facts { extractable: Some(true), ..imported }, true).is_some());
        assert!(unfitness(Facts { sensitive: Some(false), ..imported }, true).is_some());
    }
}
