//! One thing for each layer of an object: [`PerLayer`].

use crate::{Error, Result, Suite};

/// The numbers of the inner and of the outer layer.
pub(crate) const INNER: u8 = 0;
pub(crate) const OUTER: u8 = 1;

/// Something for the only or inner layer, and for the outer layer if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PerLayer<T> {
    pub(crate) inner: T,
    pub(crate) outer: Option<T>,
}

impl<T> PerLayer<T> {
    pub(crate) const fn one(inner: T) -> Self {
        Self { inner, outer: None }
    }

    pub(crate) const fn two(inner: T, outer: T) -> Self {
        Self { inner, outer: Some(outer) }
    }

    pub(crate) const fn suite(&self) -> Suite {
        if self.outer.is_some() { Suite::TwoLayers } else { Suite::OneLayer }
    }

    /// The layers with their numbers: 0 for the only or inner one, 1 for the outer.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u8, &T)> {
        (0..).zip(core::iter::once(&self.inner).chain(self.outer.as_ref()))
    }

    /// Makes something of each layer and its number, the inner one first.
    pub(crate) fn try_map<'a, U, E>(
        &'a self,
        mut make: impl FnMut(u8, &'a T) -> Result<U, E>,
    ) -> Result<PerLayer<U>, E> {
        let inner = make(INNER, &self.inner)?;
        let outer = self.outer.as_ref().map(|outer| make(OUTER, outer)).transpose()?;
        Ok(PerLayer { inner, outer })
    }

    /// Joins what belongs to the same layers.
    pub(crate) fn zip<'a, U>(&'a self, other: &'a PerLayer<U>) -> Result<PerLayer<(&'a T, &'a U)>> {
        let outer = match (&self.outer, &other.outer) {
            (None, None) => None,
            (Some(one), Some(other)) => Some((one, other)),
            _ => return Err(Error::Misuse("the number of layers differs")),
        };
        Ok(PerLayer { inner: (&self.inner, &other.inner), outer })
    }

    /// Makes something of each layer, the inner one first.
    pub(crate) fn map<U>(self, mut make: impl FnMut(T) -> U) -> PerLayer<U> {
        PerLayer { inner: make(self.inner), outer: self.outer.map(make) }
    }

    pub(crate) fn as_ref(&self) -> PerLayer<&T> {
        PerLayer { inner: &self.inner, outer: self.outer.as_ref() }
    }
}
