namespace MedMerge.Storage;

/// <summary>
/// How far a trial is, by what the store holds of its stages. It differs after every finished stage and after every checkpoint.
/// </summary>
/// <param name="Outputs">How many stages have their output.</param>
/// <param name="Checkpoints">How many checkpoints the others have committed.</param>
public sealed record StoredProgress(int Outputs, int Checkpoints);
