namespace MedMerge.Statistics;

/// <summary>One class's scores, 0 to 1, and its number of images.</summary>
internal sealed record ClassScore(int Class, int Images, double Precision, double Recall, double F1);
