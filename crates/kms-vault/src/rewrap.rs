//! Wrapping anew, one by one and in batches.

use object_cipher_core::KeyError;
use object_cipher_kms::{KeyName, KmsCall, KmsResult, Rewrap, Unwrap};

use crate::{
    VaultKms,
    answer::{CiphertextAnswer, ItemAnswer},
    ciphertext::Ciphertext,
    path::TransitKey,
    question::{BatchQuestion, CiphertextQuestion, Question},
    refusal::{item_refusal, nonsense},
    vault::{stored_ciphertext, wrapped},
};

/// Items of a batch: OpenBao takes at most 1,000 texts in a request.
const BATCH: usize = 249;

/// A wrapped key that may have to be wrapped anew.
struct Item<'a> {
    /// Its place among those that were given.
    index: usize,
    rq: &'a Unwrap<'a>,
    key: TransitKey,
    ciphertext: Ciphertext<'a>,
}

impl VaultKms {
    /// Wraps many data keys anew, each under the current version of its own key, and answers in
    /// their order. What one of them is refused for is no matter to the others.
    ///
    /// Keys are asked for their current version once; what is under it is
    /// [`Unchanged`](Rewrap::Unchanged) without being sent. The rest is sent in batches of at most
    /// 249. Each request is bounded in time, the whole is not.
    pub async fn rewrap_all(&self, rqs: &[Unwrap<'_>]) -> Vec<KmsResult<Rewrap>> {
        let mut outcomes = Vec::with_capacity(rqs.len());
        let mut waiting = Vec::with_capacity(rqs.len());
        for (index, rq) in rqs.iter().enumerate() {
            match self.item(index, rq) {
                Ok(item) => waiting.push(item),
                Err(error) => outcomes.push((index, Err(error))),
            }
        }
        while let Some(Item { rq, key, .. }) = waiting.first() {
            let (call, key) = (&rq.call, key.clone());
            let (same, others) = waiting.into_iter().partition(|item: &Item<'_>| item.key == key);
            outcomes.extend(self.rewrap_under(&key, call, same).await);
            waiting = others;
        }
        outcomes.sort_unstable_by_key(|(index, _)| *index);
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }

    pub(crate) async fn rewrap_one(&self, rq: Unwrap<'_>) -> KmsResult<Rewrap> {
        let item = self.item(0, &rq)?;
        if item.ciphertext.version == self.latest_version(&item.key, &rq.call).await? {
            return Ok(Rewrap::Unchanged);
        }
        let body = CiphertextQuestion::new(rq.context, item.ciphertext);
        let question = Question::post(self.mount.path("rewrap", &item.key), &body)?;
        let answer = self.session.ask(&rq.call, &question).await?;
        rewrapped(&item.key, answer.data::<CiphertextAnswer<'_>>()?.ciphertext()?)
    }

    fn item<'a>(&self, index: usize, rq: &'a Unwrap<'a>) -> KmsResult<Item<'a>> {
        let key = self.mount.key(&KeyName::from(rq.wrapped.id()))?;
        Ok(Item { index, rq, key, ciphertext: stored_ciphertext(rq.wrapped)? })
    }

    /// All under one key. What is asked for all at once is asked as the first of them.
    async fn rewrap_under(
        &self,
        key: &TransitKey,
        call: &KmsCall<'_>,
        items: Vec<Item<'_>>,
    ) -> Vec<(usize, KmsResult<Rewrap>)> {
        let latest = match self.latest_version(key, call).await {
            Ok(latest) => latest,
            Err(error) => return all_failed(&items, &error),
        };
        let (current, older): (Vec<_>, Vec<_>) =
            items.into_iter().partition(|item| item.ciphertext.version == latest);
        let mut outcomes: Vec<_> =
            current.iter().map(|item| (item.index, Ok(Rewrap::Unchanged))).collect();
        for batch in older.chunks(BATCH) {
            match self.rewrap_batch(key, call, batch).await {
                Ok(answered) => outcomes.extend(answered),
                Err(error) => outcomes.extend(all_failed(batch, &error)),
            }
        }
        outcomes
    }

    async fn latest_version(&self, key: &TransitKey, call: &KmsCall<'_>) -> KmsResult<u32> {
        self.check(key, call).await?;
        Ok(self.look_up(key, call).await?.latest_version)
    }

    async fn rewrap_batch(
        &self,
        key: &TransitKey,
        call: &KmsCall<'_>,
        batch: &[Item<'_>],
    ) -> KmsResult<Vec<(usize, KmsResult<Rewrap>)>> {
        let sent: Vec<_> = batch
            .iter()
            .map(|item| CiphertextQuestion::new(item.rq.context, item.ciphertext))
            .collect();
        let path = self.mount.path("rewrap", key);
        let question = Question::post(path, &BatchQuestion { batch_input: &sent })?;
        let answer = self.session.ask(call, &question).await?;
        let results = answer.batch()?.batch_results;
        if results.len() != batch.len() {
            return Err(nonsense("a batch was not answered item by item"));
        }
        let outcome = |result: &ItemAnswer<'_>| match &result.error {
            Some(error) if !error.is_empty() => Err(item_refusal(error)),
            _ => rewrapped(key, result.ciphertext()?),
        };
        Ok(batch.iter().zip(&results).map(|(item, result)| (item.index, outcome(result))).collect())
    }
}

fn rewrapped(key: &TransitKey, ciphertext: Ciphertext<'_>) -> KmsResult<Rewrap> {
    wrapped(key, ciphertext).map(Rewrap::Rewrapped)
}

fn all_failed(items: &[Item<'_>], error: &KeyError) -> Vec<(usize, KmsResult<Rewrap>)> {
    items.iter().map(|item| (item.index, Err(error.clone()))).collect()
}
