//! The first few of very many.

/// A place in an order: what is sorted by, then the id, both made so that the lesser number goes first.
pub(crate) type Place = (u64, u64);

/// Keeps the first `room` of the places that it is shown.
pub(crate) struct Top {
    room: usize,
    places: Vec<Place>,
    /// Nothing after this can be among the first.
    last: Place,
}

impl Top {
    pub(crate) fn new(room: usize) -> Self {
        let last = if room == 0 { (0, 0) } else { (u64::MAX, u64::MAX) };
        Self { room, places: Vec::new(), last }
    }

    /// How many places it keeps.
    pub(crate) fn room(&self) -> usize {
        self.room
    }

    /// Whether a place that begins with this may be among the first.
    pub(crate) fn may_take(&self, sorted_by: u64) -> bool {
        sorted_by <= self.last.0
    }

    pub(crate) fn show(&mut self, place: Place) {
        if place > self.last || self.room == 0 {
            return;
        }
        self.places.push(place);
        if self.places.len() >= 2 * self.room.max(32) {
            self.shrink();
        }
    }

    /// Makes [`may_take`](Self::may_take) as strict as can be told by now.
    pub(crate) fn settle(&mut self) {
        if self.places.len() >= self.room && self.room > 0 {
            self.shrink();
        }
    }

    /// The first ones, in order.
    pub(crate) fn into_sorted(mut self) -> Vec<Place> {
        self.places.sort_unstable();
        self.places.truncate(self.room);
        self.places
    }

    fn shrink(&mut self) {
        let (_, last, _) = self.places.select_nth_unstable(self.room - 1);
        self.last = *last;
        self.places.truncate(self.room);
    }
}

/// A signed number as one that sorts the same way.
pub(crate) fn sortable(number: i64) -> u64 {
    number.cast_unsigned() ^ 1 << 63
}

/// The number that [`sortable`] was given.
pub(crate) fn unsortable(number: u64) -> i64 {
    (number ^ 1 << 63).cast_signed()
}
