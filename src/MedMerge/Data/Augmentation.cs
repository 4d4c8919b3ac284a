namespace MedMerge.Data;

/// <summary>What happens to training images before a step.</summary>
public enum Augmentation
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Shifted by up to a fourteenth of the side each way (2 of 28 pixels), edges filled with zeros.</summary>
    Shift,

    /// <summary>The same, and mirrored left to right half of the time.</summary>
    ShiftFlip,
}
