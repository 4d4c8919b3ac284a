namespace MedMerge.Data.Checks;

/// <summary>What is odd about a data set, in a clause.</summary>
/// <param name="IsLeak">Whether a model is trained on copies of validation or test images, or of images of their groups.</param>
internal readonly record struct DataNote(string Text, bool IsLeak = false);
