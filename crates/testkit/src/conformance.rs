//! What every `ObjectCipher` must hold, as functions and as a macro that makes tests of them.
//!
//! The names begin with the attack's id in the project's catalogue, where it has one.

#![allow(
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed check is a panic, as in any test"
)]

pub mod bodies;
pub mod envelopes;
pub mod identity;
pub mod ranges;
pub mod rewraps;
pub mod uploads;

/// Makes a test of every attack on an [`ObjectCipher`](object_cipher_core::ObjectCipher), in a
/// module of the given name. The expression gives the cipher; it is evaluated for each test.
///
/// ```
/// use object_cipher_core::{EkSource, LayeredCipher};
/// use object_cipher_rustcrypto::RustCrypto;
/// use object_cipher_testkit::{TestKeys, object_cipher_tests};
///
/// object_cipher_tests! {
///     my_mode: LayeredCipher::sse_c(TestKeys::new(EkSource::Customer, [7; 32]), RustCrypto)
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! object_cipher_tests {
    ($($module:ident: $cipher:expr),+ $(,)?) => {
        $(mod $module {
            #[allow(unused_imports)]
            use super::*;

            $crate::object_cipher_tests! { @attacks [$cipher]
            bodies:
                every_length_around_chunk_edges_comes_back_in_every_mode,
                f1_every_flipped_bit_of_the_body_is_refused,
                f2_a_body_cut_to_any_length_is_refused,
                f3_bytes_behind_the_end_are_refused,
                f4_a_body_cut_at_a_chunk_edge_is_refused_whatever_size_is_told,
                f5_swapped_repeated_dropped_and_reversed_chunks_are_refused,
                f6_chunks_and_headers_of_another_body_are_refused,
                f8_an_empty_object_is_72_bytes_and_nothing_less,
                f9_the_empty_last_chunk_can_be_neither_dropped_nor_added_nor_repeated,
                f10_positions_and_lengths_out_of_place_are_refused_and_wiped,
                f16_an_error_comes_again_and_the_end_stays_the_end,
                detached_sealing_gives_the_same_bytes,
                z7_a_chunk_that_fails_to_open_is_wiped_at_every_length;
            ranges:
                g1_ranges_of_a_body_equal_slices_in_every_mode,
                g9_ranges_over_parts_equal_slices_in_every_mode,
                g2_g3_a_bad_chunk_spoils_the_ranges_that_touch_it_and_no_other,
                g4_suffixes_and_open_ends_are_counted_from_the_sealed_length,
                g5_ranges_behind_the_end_are_not_satisfiable_and_fetch_nothing,
                g6_chunks_outside_a_segment_give_nothing,
                g6_offsets_at_the_edge_of_u64_are_cut_to_the_object,
                g8_short_long_and_shifted_answers_of_a_store_are_refused,
                g11_a_body_replaced_between_two_reads_is_refused,
                g7_a_range_fetches_its_covering_chunks_and_nothing_else,
                g10_each_part_can_be_read_by_its_number;
            uploads:
                parts_from_several_processes_in_any_order_make_one_object,
                m2_m3_m13_swapped_parts_and_mixed_attempts_are_refused,
                m4_receipts_and_parts_of_another_upload_are_refused,
                m5_an_altered_part_table_is_refused,
                m7_an_upload_is_not_an_object_nor_an_object_an_upload,
                m8_a_stale_or_foreign_etag_or_checksum_is_an_invalid_part,
                m9_a_missing_or_unreadable_receipt_is_refused,
                parts_out_of_order_or_out_of_bounds_are_refused,
                an_upload_becomes_its_own_object_and_no_other;
            identity:
                b1_an_object_moved_to_another_place_is_refused,
                b2_names_that_look_alike_are_different_objects,
                b3_i4_mixed_envelopes_are_refused,
                b4_an_old_pair_put_back_opens_unless_a_version_is_bound,
                f1_b12_i4_every_bit_of_an_envelope_is_bound,
                b13_an_older_info_block_does_not_fit_a_newer_envelope,
                b14_each_identity_item_must_be_given_as_it_was_sealed,
                b14_an_upload_needs_its_own_upload_id,
                a_version_id_learnt_at_commit_is_bound,
                required_items_are_asked_for_when_sealing_and_opening;
            envelopes:
                the_header_is_laid_out_as_the_specification_says,
                f13_unknown_magic_version_suite_mode_state_and_reserved_bits_are_refused,
                f14_an_envelope_has_one_form,
                sealed_attributes_come_back_and_are_not_in_clear;
            rewraps:
                b5_a_rename_rewrites_the_envelope_and_not_the_body;
            }
        })+
    };
    (@attacks $cipher:tt $($group:ident: $($attack:ident),+;)+) => {
        $($($crate::object_cipher_tests! { @attack $cipher $group $attack })+)+
    };
    (@attack [$cipher:expr] $group:ident $attack:ident) => {
        #[test]
        fn $attack() {
            $crate::conformance::$group::$attack(&$cipher);
        }
    };
}
