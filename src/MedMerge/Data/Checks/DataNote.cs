namespace MedMerge.Data.Checks;

/// <summary>What is odd about a data set, in a clause.</summary>
/// <param name="IsLeak">
/// Whether a model is trained on copies of validation or test images, or on images of their groups; or may be, since not all were looked
/// for.
/// </param>
internal readonly record struct DataNote(string Text, bool IsLeak = false);
